export { reserveDatabase, type RedisDatabase } from './redis-database';
export { keptPort, startRedis, type RedisProcess } from './redis-process';
export { createPostgresDatabase, type PostgresDatabase } from './postgres-database';
export { startTcpProxy, type TcpProxy } from './tcp-proxy';
