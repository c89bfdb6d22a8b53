import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { openQuestions, type Questions } from './ask';
import { DOCTOR_SCRIPT } from './doctor';
import { createSecret } from './secret';

interface Question {
  setting: string;
  text: string;
  fallback?: string;
  isSecret?: boolean;
}

/** What is asked, system by system; each system is checked before the next. */
const STEPS: readonly { system: 'redis' | 'inventree' | 'magento'; title: string; questions: readonly Question[] }[] = [
  {
    system: 'redis',
    title: 'Redis, which holds the queues',
    questions: [{ setting: 'REDIS_URL', text: 'Address', fallback: 'redis://localhost:6379' }],
  },
  {
    system: 'inventree',
    title: 'InvenTree. A token: log in as the user of the sync, Account settings > API tokens',
    questions: [
      { setting: 'INVENTREE_URL', text: 'Address (https://inventree.example)' },
      { setting: 'INVENTREE_TOKEN', text: 'Token (inv-...)', isSecret: true },
    ],
  },
  {
    system: 'magento',
    title: 'Magento. System > Integrations shows the four values when the integration is activated',
    questions: [
      { setting: 'MAGENTO_URL', text: 'Address (https://shop.example)' },
      { setting: 'MAGENTO_CONSUMER_KEY', text: 'Consumer key', isSecret: true },
      { setting: 'MAGENTO_CONSUMER_SECRET', text: 'Consumer secret', isSecret: true },
      { setting: 'MAGENTO_ACCESS_TOKEN', text: 'Access token', isSecret: true },
      { setting: 'MAGENTO_ACCESS_TOKEN_SECRET', text: 'Access token secret', isSecret: true },
    ],
  },
];

/** What the settings that are asked later must not be wrong about meanwhile. */
const PLACEHOLDERS = {
  REDIS_URL: 'redis://localhost:6379',
  INVENTREE_URL: 'http://localhost',
  INVENTREE_TOKEN: 'not-asked-yet',
  MAGENTO_URL: 'http://localhost',
  MAGENTO_ACCESS_TOKEN: 'not-asked-yet',
};

type Answers = Record<string, string | undefined>;

/** `stock-sync init`: asks for what is needed, checks each answer, and writes `.env`. */
export async function initCommand(file: string): Promise<string> {
  const answers: Answers = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  const questions = openQuestions();
  try {
    for (const step of STEPS) await askUntilRight(step, answers, questions);
  } finally {
    questions.close();
  }
  answers.WEBHOOK_SECRET ??= createSecret();
  answers.DASHBOARD_USER ??= 'admin';
  answers.DASHBOARD_PASSWORD ??= randomBytes(12).toString('base64url');
  answers.ENABLE_SYNC ??= 'false';
  const lines = Object.entries(answers).map(([name, value = '']) => `${name}=${quoted(value)}`);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return [
    `Wrote ${file}.`,
    '',
    'Next:',
    '  1. Start the services: npm run start:ingest, npm run start:worker, npm run start:dashboard,',
    '     or all of them with Redis: docker compose up --build --detach',
    '  2. Install the plugin in InvenTree (packages/inventree-plugin/README.md). Its secret is WEBHOOK_SECRET in',
    `     ${file}, its address http://<this machine>:3000/webhooks/inventree`,
    '  3. Check everything: stock-sync doctor',
    '  4. See what would be written: stock-sync reconcile --dry-run',
    `  5. When that looks right, set ENABLE_SYNC=true in ${file}, and start the worker again.`,
    `The dashboard is on port 3001; user ${answers.DASHBOARD_USER}, password in ${file}.`,
  ].join('\n');
}

async function askUntilRight(step: (typeof STEPS)[number], answers: Answers, questions: Questions): Promise<void> {
  process.stderr.write(`\n${step.title}\n`);
  for (;;) {
    for (const { setting, text, fallback, isSecret = false } of step.questions) {
      const before = answers[setting] ?? fallback;
      answers[setting] = await questions.ask(text, { fallback: before, isSecret });
    }
    if (isRight(step.system, answers)) return;
    if (await questions.confirm('Keep these answers all the same?')) return;
  }
}

/** Checks what was answered so far with the doctor, which prints what it finds. */
function isRight(system: (typeof STEPS)[number]['system'], answers: Answers): boolean {
  const environment = { PATH: process.env.PATH, NODE_ENV: 'production', ...PLACEHOLDERS, ...answers };
  const { status } = spawnSync(process.execPath, [DOCTOR_SCRIPT, `--only=${system}`], {
    env: environment,
    stdio: ['ignore', 2, 2],
  });
  return status === 0;
}

/** As both Node and Docker Compose read it. */
function quoted(value: string): string {
  return /^[\w:/.@+=,-]*$/.test(value) ? value : `'${value}'`;
}
