import type { RedisConnection } from '@stock-sync/state';
import { Store, type SessionData } from 'express-session';

/** How long a session is kept without a request, in seconds: of a user, and of somebody who has not logged in yet. */
const USER_SECONDS = 12 * 60 * 60;
const STRANGER_SECONDS = 15 * 60;

type Done = (error?: unknown) => void;

/** Sessions in Redis, so that a login survives a restart of the dashboard. */
export class RedisSessionStore extends Store {
  constructor(private readonly connection: RedisConnection) {
    super();
  }

  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    this.connection.redis
      .get(this.connection.keys.session(id))
      .then(text => (text === null ? null : (JSON.parse(text) as SessionData)))
      .then(
        session => done(null, session),
        (error: unknown) => done(error),
      );
  }

  override set(id: string, session: Partial<SessionData>, done: Done = () => undefined): void {
    const seconds = session.user ? USER_SECONDS : STRANGER_SECONDS;
    this.connection.redis
      .set(this.connection.keys.session(id), JSON.stringify(session), 'EX', seconds)
      .then(() => done(), done);
  }

  override touch(id: string, session: Partial<SessionData>, done: Done = () => undefined): void {
    const seconds = session.user ? USER_SECONDS : STRANGER_SECONDS;
    this.connection.redis.expire(this.connection.keys.session(id), seconds).then(() => done(), done);
  }

  override destroy(id: string, done: Done = () => undefined): void {
    this.connection.redis.del(this.connection.keys.session(id)).then(() => done(), done);
  }
}
