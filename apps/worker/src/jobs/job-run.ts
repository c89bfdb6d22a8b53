import type { TargetQuantities } from '@stock-sync/domain';

/** One run of a job. */
export interface JobRun {
  /** Whether it makes its own calls, because it failed before in calls that it may have shared. */
  alone: boolean;
  /** How far it came, for the dead letter. */
  progress: {
    sku?: string;
    target?: TargetQuantities;
    /** What of that is the part's own, where others have the same SKU. */
    own?: TargetQuantities;
    /** What the store showed, for people and to compare. */
    shows?: string;
  };
}
