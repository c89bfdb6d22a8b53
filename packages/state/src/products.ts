import { skuKey } from '@stock-sync/domain';
import { z } from 'zod';
import { bucketOfSku, openBucketedHash } from './bucketed-hash';
import type { RedisConnection } from './connection';
import { parseStored } from './stored-value';

/** What the store answered about a SKU. */
export interface RememberedProduct {
  /** Its spelling and type; null where the store has no such product. */
  product: { sku: string; typeId: string } | null;
  /** Milliseconds since 1970. */
  askedAt: number;
}

/** The products of the SKUs that parts have; forgotten with them. */
export interface Products {
  get(skus: readonly string[]): Promise<(RememberedProduct | undefined)[]>;
  set(products: readonly { sku: string; product: RememberedProduct['product'] }[]): Promise<void>;
  forget(sku: string): Promise<void>;
}

const productLine = z.tuple([z.union([z.tuple([z.string(), z.string()]), z.null()]), z.number()]);

/** Opens what is remembered of products. */
export function openProducts({ redis, keys, now }: RedisConnection): Products {
  const hash = openBucketedHash({ redis }, sku => keys.products(bucketOfSku(sku)));
  return {
    async get(skus) {
      return (await hash.get(skus.map(skuKey))).map(text => {
        const line = parseStored(productLine, text);
        return line && { product: line[0] && { sku: line[0][0], typeId: line[0][1] }, askedAt: line[1] };
      });
    },
    async set(products) {
      await Promise.all(
        products.map(({ sku, product }) =>
          hash.set(skuKey(sku), JSON.stringify([product && [product.sku, product.typeId], now()])),
        ),
      );
    },
    forget: sku => hash.delete(skuKey(sku)),
  };
}
