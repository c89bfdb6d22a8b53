import { connect } from 'node:net';

/**
 * Sends prepared HTTP requests over so many connections, one after the other on each, and counts the answers by their
 * status. Raw sockets, so that little of a small machine goes into asking.
 */
export async function sendAll(
  port: number,
  requests: readonly Buffer[],
  connections: number,
): Promise<{ seconds: number; statuses: Map<string, number> }> {
  const statuses = new Map<string, number>();
  let next = 0;
  const startedAt = process.hrtime.bigint();
  await Promise.all(Array.from({ length: connections }, talk));
  return { seconds: Number(process.hrtime.bigint() - startedAt) / 1e9, statuses };

  function talk(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let received = '';
      const ask = () => {
        const request = requests[next++];
        if (request) socket.write(request);
        else socket.end(resolve);
      };
      socket.setNoDelay(true);
      socket.once('connect', ask);
      socket.once('error', reject);
      socket.on('data', data => {
        received += data.toString('latin1');
        const head = received.indexOf('\r\n\r\n');
        if (head < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
        if (received.length < head + 4 + length) return;
        const status = received.slice(9, 12);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        received = '';
        ask();
      });
    });
  }
}
