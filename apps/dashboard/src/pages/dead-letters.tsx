import { remedyOf, type DeadLetter } from '@stock-sync/state';
import { Subject } from './history';
import { ActionButton, type PageFrame } from './layout';
import { DeadLetterActions } from './sku';

/** The parts that cannot be synced, by the kind of their failure, each with what to do about it. */
export function DeadLettersPage({ deadLetters, frame }: { deadLetters: readonly DeadLetter[]; frame: PageFrame }) {
  const kinds = new Map<string, DeadLetter[]>();
  for (const deadLetter of deadLetters)
    kinds.set(deadLetter.errorKind, [...(kinds.get(deadLetter.errorKind) ?? []), deadLetter]);
  const mayAct = frame.user.role === 'operator';
  return (
    <>
      <h1>Dead letters</h1>
      {deadLetters.length === 0 && <p>There is none: every part can be synced.</p>}
      {[...kinds].map(([kind, some], number) => (
        <section>
          <h2>
            {kind}: {some.length}
          </h2>
          <p>{remedyOf({ errorKind: kind })}</p>
          {mayAct && (
            <div class="actions">
              <ActionButton action="/actions/replay" csrf={frame.csrf} fields={{ kind, back: frame.path }}>
                Replay all of these
              </ActionButton>
              <ActionButton action="/actions/discard" csrf={frame.csrf} fields={{ kind, back: frame.path }} isQuiet>
                Discard all of these
              </ActionButton>
              <form id={`chosen-${number}`} class="action" method="post" action="/actions/replay">
                <input type="hidden" name="csrf" value={frame.csrf} />
                <input type="hidden" name="back" value={frame.path} />
                <button>Replay chosen</button>
              </form>
              <button class="quiet" form={`chosen-${number}`} formAction="/actions/discard">
                Discard chosen
              </button>
            </div>
          )}
          <div class="scroll" tabIndex={0} role="region" aria-label={`Dead letters: ${kind}`}>
            <table>
              <thead>
                <tr>
                  {mayAct && <th scope="col">Choose</th>}
                  <th scope="col">SKU</th>
                  <th scope="col">Reason</th>
                  <th scope="col">Attempts</th>
                  <th scope="col">First, last (UTC)</th>
                  {mayAct && <th scope="col">Do</th>}
                </tr>
              </thead>
              <tbody>
                {some.map(deadLetter => (
                  <tr>
                    {mayAct && (
                      <td>
                        {/* Kept as it is when the list is loaded again. */}
                        <input
                          type="checkbox"
                          id={`choose-${deadLetter.id}`}
                          name="ids"
                          value={deadLetter.id}
                          form={`chosen-${number}`}
                          aria-label={`Choose ${deadLetter.sku ?? deadLetter.id}`}
                          hx-preserve
                        />
                      </td>
                    )}
                    <td>
                      <Subject sku={deadLetter.sku} part={deadLetter.part} />
                    </td>
                    <td>
                      {deadLetter.reason}
                      <small>{deadLetter.event}</small>
                    </td>
                    <td class="number">{deadLetter.attempts}</td>
                    <td>
                      <small>
                        {deadLetter.firstFailedAt.slice(0, 19)}
                        <br />
                        {deadLetter.lastFailedAt.slice(0, 19)}
                      </small>
                    </td>
                    {mayAct && (
                      <td>
                        <div class="actions">
                          <DeadLetterActions deadLetters={[deadLetter]} frame={frame} />
                        </div>
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
    </>
  );
}
