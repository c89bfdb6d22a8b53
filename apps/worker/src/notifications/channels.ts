import { createTransport } from 'nodemailer';

/** What is sent. */
export interface Notification {
  state: 'new' | 'resolved' | 'test';
  /** The shop: REDIS_PREFIX. */
  shop: string;
  message: string;
  /** The dashboard, if it has an address. */
  link: string | undefined;
}

/** A way to reach somebody. */
export interface Channel {
  name: string;
  /** Rejects where the notification was not accepted. */
  send(notification: Notification): Promise<void>;
}

const TIMEOUT_MS = 10_000;
const TITLES = { new: 'Problem', resolved: 'Resolved', test: 'Test' } as const;

/** One line for people: "[stock-sync] Problem: ..." */
export function textOf({ state, shop, message, link }: Notification): string {
  return `[${shop}] ${TITLES[state]}: ${message}${link === undefined ? '' : ` ${link}`}`;
}

/**
 * Posts JSON to an address: `text` is what chat services show (Slack, Mattermost, Google Chat, Discord through its
 * Slack path); the other fields are for programs.
 */
export function createWebhookChannel(url: string): Channel {
  return {
    name: 'webhook',
    async send(notification) {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: textOf(notification), ...notification }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!answer.ok) throw new Error(`${new URL(url).host} answered ${answer.status}`);
    },
  };
}

/** Sends an e-mail through an SMTP server. */
export function createEmailChannel({ smtpUrl, from, to }: { smtpUrl: string; from: string; to: string }): Channel {
  const transport = createTransport({ url: smtpUrl, connectionTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS });
  return {
    name: 'e-mail',
    async send(notification) {
      const { state, shop, message, link } = notification;
      const subject = `[${shop}] ${TITLES[state]}: ${message.slice(0, 120)}`;
      await transport.sendMail({ from, to, subject, text: [message, link].filter(Boolean).join('\n\n') });
    },
  };
}
