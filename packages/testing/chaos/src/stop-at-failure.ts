import { writeSync } from 'node:fs';

/**
 * A reporter for jest that ends the run at the first test that fails: a mutant is caught then, and the rest of a file
 * may take minutes.
 */
class StopAtFailure {
  onTestCaseResult(_file: unknown, { status, fullName }: { status: string; fullName: string }): void {
    if (status !== 'failed') return;
    // Not console.log: jest keeps what it prints for a moment, and would lose it.
    writeSync(1, `  ● ${fullName}\n`);
    process.exit(1);
  }
}

export = StopAtFailure;
