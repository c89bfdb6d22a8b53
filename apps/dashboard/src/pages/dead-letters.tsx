import { remedyOf, type DeadLetter } from '@stock-sync/state';
import { Subject } from './history';
import { ActionButton, type PageFrame } from './layout';
import { DeadLetterActions } from './sku';

/** The parts that cannot be synced, by the kind of their failure, each with what to do about it. */
export function DeadLettersPage({ letters, frame }: { letters: readonly DeadLetter[]; frame: PageFrame }) {
  const kinds = new Map<string, DeadLetter[]>();
  for (const letter of letters) kinds.set(letter.errorKind, [...(kinds.get(letter.errorKind) ?? []), letter]);
  const mayAct = frame.user.role === 'operator';
  return (
    <>
      <h1>Dead letters</h1>
      {letters.length === 0 && <p>There is none: every part can be synced.</p>}
      {[...kinds].map(([kind, some]) => (
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
            </div>
          )}
          <div class="scroll" tabIndex={0} role="region" aria-label={`Dead letters: ${kind}`}>
            <table>
              <thead>
                <tr>
                  <th scope="col">SKU</th>
                  <th scope="col">Reason</th>
                  <th scope="col">Attempts</th>
                  <th scope="col">First, last (UTC)</th>
                  {mayAct && <th scope="col">Do</th>}
                </tr>
              </thead>
              <tbody>
                {some.map(letter => (
                  <tr>
                    <td>
                      <Subject sku={letter.sku} part={letter.part} />
                    </td>
                    <td>
                      {letter.reason}
                      <small>{letter.event}</small>
                    </td>
                    <td class="number">{letter.attempts}</td>
                    <td>
                      <small>
                        {letter.firstFailedAt.slice(0, 19)}
                        <br />
                        {letter.lastFailedAt.slice(0, 19)}
                      </small>
                    </td>
                    {mayAct && (
                      <td>
                        <div class="actions">
                          <DeadLetterActions letters={[letter]} frame={frame} />
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
