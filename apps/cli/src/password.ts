import { hashPassword } from '@stock-sync/service';
import { openQuestions } from './ask';

/** `stock-sync password`: the hash of a password, for DASHBOARD_USERS. */
export async function passwordCommand(): Promise<string> {
  const questions = openQuestions();
  try {
    return await hashPassword(await questions.ask('Password', { isSecret: true }));
  } finally {
    questions.close();
  }
}
