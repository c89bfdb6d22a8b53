import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Telemetry } from 'bullmq';
import type { Request, Response } from 'express';
import { setting, type Settings } from './settings';

/** The setting of the processes that send traces. */
export const tracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting
    .url(['http:', 'https:'], 'http://otel-collector.example:4318')
    .optional()
    .describe(
      'Where traces are sent to by OTLP over HTTP, `http://otel-collector.example:4318`; without it, none are made.',
    ),
} satisfies Settings;

type HandleRequest = (request: Request, response: Response) => Promise<void>;

/** Traces of this process. */
export interface Tracing {
  /** Carries a trace from the process that adds a job to the one that runs it. */
  telemetry: Telemetry;
  /** Puts the work on a request into a span of this name, which calls and jobs that it leads to belong to. */
  tracedRequests(name: string, handle: HandleRequest): HandleRequest;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/**
 * Starts to send traces; the OpenTelemetry SDK is loaded only here. Headers, sampling and attributes come from its own
 * environment variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES`).
 */
export async function startTracing(service: string, endpoint: string | undefined): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const [{ BatchSpanProcessor, NodeTracerProvider }, { OTLPTraceExporter }, resources, { BullMQOtel }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('bullmq-otel'),
    ]);
  const named = resources.resourceFromAttributes({ 'service.name': `stock-sync-${service}` });
  const provider = new NodeTracerProvider({
    resource: named.merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` })),
    ],
  });
  provider.register();
  return {
    telemetry: new BullMQOtel({ tracerName: 'stock-sync' }),
    tracedRequests,
    stop: () => provider.shutdown(),
  };
}

function tracedRequests(name: string, handle: HandleRequest): HandleRequest {
  const tracer = trace.getTracer('stock-sync');
  return async (request, response) => {
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER });
    try {
      await context.with(trace.setSpan(context.active(), span), () => handle(request, response));
    } finally {
      span.setAttribute('http.response.status_code', response.statusCode);
      if (response.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
  };
}
