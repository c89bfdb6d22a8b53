import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Our InvenTree plugin in a Python process of its own, in a real Django with a fake InvenTree. */
export interface PluginProcess {
  url: string;
  /** Of a user with the view role on stock. */
  token: string;
  /** Does what a user of InvenTree, or its background worker, would do. */
  play(action: { do: string } & Record<string, unknown>): Promise<unknown>;
  stop(): Promise<void>;
}

const folder = join(__dirname, '..', '..', '..', 'inventree-plugin');

/** Starts the plugin with a Python that has Django; `like` is the version of InvenTree that it runs in. */
export async function startPlugin(python: string, like: '0.17' | '1.4'): Promise<PluginProcess> {
  const child = spawn(python, ['-m', 'tests.serve'], {
    cwd: folder,
    env: { PATH: process.env.PATH, INVENTREE_LIKE: like, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function nextLine(): Promise<unknown> {
    const line = await lines.next();
    if (line.done) throw new Error(`the plugin's process ended:\n${errors}`);
    return JSON.parse(line.value) as unknown;
  }

  const { port, token } = (await nextLine()) as { port: number; token: string };
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    async play(action) {
      child.stdin.write(`${JSON.stringify(action)}\n`);
      return ((await nextLine()) as { answer: unknown }).answer;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
