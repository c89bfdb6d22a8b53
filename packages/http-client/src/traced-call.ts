import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { System } from './call-error';
import type { Answer, Call } from './http-client';

const tracer = trace.getTracer('stock-sync');

/**
 * Makes a call in a span of its own. The span is not sent to the system: neither InvenTree nor Magento expects a
 * header of ours.
 */
export function tracedCall(system: System, { method, path }: Call, call: () => Promise<Answer>): Promise<Answer> {
  const [route = path] = path.split('?');
  const attributes = { 'http.request.method': method, 'url.path': route, 'peer.service': system };
  return tracer.startActiveSpan(`${system} ${method}`, { kind: SpanKind.CLIENT, attributes }, async span => {
    try {
      const answer = await call();
      span.setAttribute('http.response.status_code', answer.status);
      if (answer.status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
      return answer;
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}
