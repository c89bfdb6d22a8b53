import { Writable } from 'node:stream';
import winston from 'winston';

export interface LogOptions {
  service: string;
  level: string;
  /** `auto`: text on a terminal, JSON elsewhere. */
  format: 'auto' | 'json' | 'text';
}

/** A log with one line per outcome: a message for people, and fields for programs. */
export type Log = Pick<winston.Logger, 'error' | 'warn' | 'info' | 'debug'>;

const COLOURS: Readonly<Record<string, string>> = {
  error: '\x1b[31m',
  warn: '\x1b[33m',
  info: '\x1b[32m',
  debug: '\x1b[90m',
};
const PLAIN = '\x1b[0m';

/** Creates a log that writes to standard output. */
export function createLog({ service, level, format }: LogOptions): Log {
  const asText = format === 'text' || (format === 'auto' && process.stdout.isTTY);
  const log = winston.createLogger({
    level,
    defaultMeta: { service },
    format: asText
      ? winston.format.combine(winston.format.timestamp({ format: 'HH:mm:ss.SSS' }), winston.format.printf(formatLine))
      : winston.format.combine(winston.format.timestamp(), winston.format.printf(formatJson)),
    transports: [new winston.transports.Stream({ stream: standardOutput() })],
  });
  // winston formats a line before it finds out that no one wants it.
  if (!log.isDebugEnabled()) log.debug = () => log;
  return log;
}

function formatLine({ timestamp, level, service, message }: winston.Logform.TransformableInfo): string {
  const name = process.stdout.isTTY ? `${COLOURS[level] ?? ''}${level.padEnd(5)}${PLAIN}` : level.padEnd(5);
  return `${String(timestamp)} ${name} ${String(service)}: ${String(message)}`;
}

/** In half the time of winston's own format, which sorts the fields. */
function formatJson(line: winston.Logform.TransformableInfo): string {
  try {
    return JSON.stringify(line);
  } catch {
    // Rather a line without fields than none: one of them is nothing that JSON can hold.
    const { timestamp, level, service, message } = line;
    return JSON.stringify({ timestamp, level, service, message: String(message) });
  }
}

/** Standard output, which gets all lines of one turn of the event loop in one piece: each write is a system call. */
function standardOutput(): Writable {
  let lines = '';
  const write = () => {
    process.stdout.write(lines);
    lines = '';
  };
  process.on('exit', write);
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      if (lines === '') setImmediate(write);
      lines += line;
      done();
    },
  });
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
