import type { JobOf } from '@stock-sync/state';

/** The jobs of parts that this process runs at the moment: what a call asks before it waits for further keys. */
export interface PartJobsUnderWay {
  /** Runs a job, which counts meanwhile. */
  during<Result>(job: Pick<JobOf<'part'>, 'together'>, run: () => Promise<Result>): Promise<Result>;
  /**
   * How long the first call of a job waits for a further key, in milliseconds: not at all for the only job under way,
   * if its part changed alone; and for longer where parts changed together, because their jobs start one after another.
   */
  quietMs(): number;
  /** The same for a later call: jobs that share a call go on at the same moment. */
  quietAfterCallMs(): number;
}

/** BullMQ starts the jobs of a burst one by one, at most this many milliseconds apart ... */
const BETWEEN_JOBS_MS = 4;
/** ... and this many while the processor is busy, for those that are known to come. */
const BETWEEN_KNOWN_JOBS_MS = 10;

/** Jobs that go on at the same moment still ask one after another. */
const AFTER_CALL_MS = 2;

/** Counts them. */
export function createPartJobsUnderWay(): PartJobsUnderWay {
  let underWay = 0;
  let together = 0;
  /** Whether there is nobody to wait for. */
  const isAlone = () => underWay === 1 && together === 0;
  return {
    async during(job, run) {
      const counts = job.together ? 1 : 0;
      underWay++;
      together += counts;
      try {
        return await run();
      } finally {
        underWay--;
        together -= counts;
      }
    },
    quietMs: () => (isAlone() ? 0 : together > 0 ? BETWEEN_KNOWN_JOBS_MS : BETWEEN_JOBS_MS),
    quietAfterCallMs: () => (isAlone() ? 0 : AFTER_CALL_MS),
  };
}
