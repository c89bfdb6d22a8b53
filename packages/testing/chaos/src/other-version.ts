import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A version of this repository, built in a folder of its own. */
export interface OtherVersion {
  folder: string;
  remove(): void;
}

/**
 * Checks out and builds a revision beside the work tree.
 * @param root the repository
 */
export function buildOtherVersion(root: string, revision: string): OtherVersion {
  const folder = join(mkdtempSync(join(tmpdir(), 'stock-sync-version-')), 'repository');
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  git('worktree', 'add', '--detach', folder, revision);
  const remove = () => git('worktree', 'remove', '--force', folder);
  try {
    execFileSync(process.execPath, ['packages/tooling/run.mjs', 'build'], { cwd: folder, stdio: 'inherit' });
  } catch (error) {
    remove();
    throw error;
  }
  return { folder, remove };
}
