import { randomBytes } from 'node:crypto';
import { hashPassword, isPasswordOf } from '@stock-sync/service';

/** An `operator` may change things, a `viewer` may not. */
export type Role = 'operator' | 'viewer';

/** Somebody who logged in. */
export interface User {
  name: string;
  role: Role;
}

/** A user of DASHBOARD_USERS. */
export interface UserWithHash extends User {
  /** `scrypt$<salt>$<hash>`, in base64url. */
  hash: string;
}

/** The users with a password. */
export interface Users {
  /** The user with this name and password; undefined where there is none. It takes as long in either case. */
  withPassword(name: string, password: string): Promise<User | undefined>;
  /** The role that a user has now; undefined where there is no such user any more. */
  roleOf(name: string): Role | undefined;
}

const LINE = /^([^:\s]+):(operator|viewer):(scrypt\$[\w-]+\$[\w-]+)$/;

/** The users in a text, or what is wrong with it. */
export function parseUsers(text: string): UserWithHash[] | { problem: string } {
  const lines = text.split(/\s+/).filter(line => line !== '');
  const users: UserWithHash[] = [];
  for (const line of lines) {
    const [, name = '', role = '', hash = ''] = LINE.exec(line) ?? [];
    if (name === '') {
      return { problem: `expected name:operator:hash or name:viewer:hash, got "${line.split(':')[0] ?? ''}:..."` };
    }
    users.push({ name, role: role === 'operator' ? 'operator' : 'viewer', hash });
  }
  return users;
}

/** The users of DASHBOARD_USERS, and the one of DASHBOARD_USER and DASHBOARD_PASSWORD. */
export async function createUsers(
  listed: readonly UserWithHash[],
  single: { name: string; password: string | undefined },
): Promise<Users> {
  const all = [...listed];
  if (single.password !== undefined) {
    all.push({ name: single.name, role: 'operator', hash: await hashPassword(single.password) });
  }
  const nobody = await hashPassword(randomBytes(16).toString('hex'));
  return {
    async withPassword(name, password) {
      const user = all.find(one => one.name === name);
      const isRight = await isPasswordOf(user?.hash ?? nobody, password);
      return user && isRight ? { name: user.name, role: user.role } : undefined;
    },
    roleOf: name => all.find(one => one.name === name)?.role,
  };
}
