import type { AddressInfo } from 'node:net';
import express from 'express';

/** The measure for ingest: an Express route that parses JSON and answers 202. Says its port on standard output. */
const application = express();
application.use(express.json());
application.post('/webhooks/inventree', (_request, response) => {
  response.status(202).json({ accepted: 1, ignored: 0 });
});
const server = application.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
