/** The API and the whole pipeline in this process, with a real OpenTelemetry SDK that keeps every span, and a log that keeps every line. */
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { createShop, type Shop, startCampaignApi } from '../campaigns/campaign-fixture.ts';
import { createLog } from '../platform/log.ts';
import type { Database } from '../platform/mysql.ts';
import { createSmtpSink, type SmtpSink } from './smtp-sink/sink.ts';
import { createTestPipeline, testConfig } from './test-pipeline.ts';
import { waitFor } from './wait-for.ts';

export type LogLine = Readonly<Record<string, unknown>>;

export interface TracedScenario {
  readonly db: Database;
  readonly sink: SmtpSink;
  readonly shop: Shop;
  readonly lines: readonly LogLine[];
  /** Those that have ended. */
  spans(): readonly ReadableSpan[];
  waitUntilSent(campaignId: string): Promise<void>;
  end(): Promise<void>;
}

export async function startTracedScenario(): Promise<TracedScenario> {
  const exporter = new InMemorySpanExporter();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  const lines: LogLine[] = [];
  const keep = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const sink = createSmtpSink();
  await sink.start();
  const api = await startCampaignApi({ log: createLog('api', 'info', keep) });
  const { DATABASE_URL, REDIS_URL, REDIS_PREFIX, SECRET_KEY } = api.config;
  const shared = { DATABASE_URL, REDIS_URL, REDIS_PREFIX, SECRET_KEY: SECRET_KEY.toString('base64') };
  const pipeline = createTestPipeline(testConfig({ ...shared, LOG_LEVEL: 'debug' }), keep);
  await pipeline.start();
  const shop = await createShop(api, sink.port);

  return {
    ...{ db: api.db, sink, shop, lines },
    spans: () => exporter.getFinishedSpans(),
    async waitUntilSent(campaignId) {
      const isSent = async () => (await shop.get(`/v1/campaigns/${campaignId}`)).body.state === 'sent';
      await waitFor('the campaign to be sent', isSent);
    },
    async end() {
      await pipeline.stop();
      await api.stop();
      await sink.stop();
    },
  };
}
