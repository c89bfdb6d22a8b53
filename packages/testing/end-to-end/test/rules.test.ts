import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createOffers, explainStock, type Offer, type ShopRules } from '@stock-sync/domain';
import { readSettings, type Settings } from '@stock-sync/service';
import { EXAMPLE_PART, EXAMPLE_SETUP, RULE_CHAPTERS } from '../src/rule-examples';

/** The rules of a shop, by their examples in docs/rules.md. */

const root = join(__dirname, '../../../..');
const { ruleSettings, shopRulesFrom } = createRequire(__filename)(join(root, 'apps/worker/dist/rule-settings.js')) as {
  ruleSettings: Settings;
  shopRulesFrom: (values: unknown) => ShopRules;
};
const examples = RULE_CHAPTERS.flatMap(({ title, examples: some }) => some.map(example => ({ title, ...example })));

function said(offer: Offer): string {
  if (offer.kind === 'offered') return explainStock(offer.stock);
  if (offer.kind !== 'wrong parameter') return `not sold online: the part ${offer.reason}`;
  const { parameter, value, expected } = offer.wrong;
  return `Part 45 has '${value}' as parameter '${parameter}': expected ${expected}`;
}

it.each(examples)('$title, $settings: $said', example => {
  const rules = shopRulesFrom(readSettings(example.settings, ruleSettings));
  const offer = createOffers(rules, EXAMPLE_SETUP).of({ ...EXAMPLE_PART, ...example.part });
  expect(said(offer)).toBe(example.said);
  if ('skus' in offer) expect(offer.skus).toEqual(example.skus ?? [EXAMPLE_PART.name]);
});
