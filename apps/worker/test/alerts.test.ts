import type { UnitsBySource } from '@stock-sync/domain';
import type { OrderRecord, SyncStatus } from '@stock-sync/state';
import { currentAlerts } from '../src/notifications/alerts';

const HOUR_MS = 60 * 60_000;
const NOW = 1_795_000_000_000;
const status = { now: NOW, waitsFor: [], deadLetters: 0, problems: [], heldBack: 0 } as unknown as SyncStatus;
const settings = { outageMs: HOUR_MS, stuckOrderMs: 48 * HOUR_MS, tokenExpiresAt: undefined };

const order = (hoursAgo: number, units: Record<string, UnitsBySource>): OrderRecord => ({
  order: 1,
  incrementId: '000000001',
  reference: 'SO-0001',
  extraLines: {},
  followed: { state: 'processing', updatedAt: '' },
  booked: { updatedAt: '', at: NOW - hoursAgo * HOUR_MS, twice: true, skus: ['WIDGET'], units, shipments: [] },
  at: NOW,
});

it.each([
  ['an order that only Magento has shipped, for two days', order(48, { WIDGET: { '': -3 } }), 1],
  ['one that waits for less', order(47, { WIDGET: { '': -3 } }), 0],
  ['one that both have shipped', order(99, {}), 0],
  ['one that was not read yet', { ...order(99, {}), booked: undefined }, 0],
])('%s', (_, record, count) => {
  const alerts = currentAlerts(status, [record], settings);
  expect(alerts).toHaveLength(count);
  for (const { message } of alerts) {
    expect(message).toBe("Order 000000001 is stuck: Magento has shipped 3 of 'WIDGET', and InvenTree has not.");
  }
});
