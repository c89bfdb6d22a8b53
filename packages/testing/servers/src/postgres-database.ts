import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** An empty PostgreSQL database of one test. */
export interface PostgresDatabase {
  url: string;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** Deletes it, and cuts those who still use it. */
  drop(): Promise<void>;
}

/** Creates a database on the PostgreSQL server of the tests. */
export async function createPostgresDatabase(serverUrl: string): Promise<PostgresDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const on = async (address: string, sql: string) => {
    const client = new Client({ connectionString: address });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await on(serverUrl, `CREATE DATABASE ${name}`);
  return {
    url: url.toString(),
    query: sql => on(url.toString(), sql),
    drop: async () => {
      await on(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
