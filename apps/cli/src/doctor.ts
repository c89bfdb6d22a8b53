import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The check of the whole set-up belongs to the worker, whose settings it needs. */
export const DOCTOR_SCRIPT = join(__dirname, '../../worker/dist/doctor.js');

/** Runs it here; the exit code is 1 where something is wrong. */
export function doctorCommand({ json = false }: { json?: boolean }): void {
  const { status } = spawnSync(process.execPath, [DOCTOR_SCRIPT, ...(json ? ['--json'] : [])], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
