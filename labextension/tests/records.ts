import type {
  Alert,
  ColumnDrift,
  DatasetVersion,
  Deployment,
  EndpointInfo,
  GuardJudgement,
  ModelVersion,
  MonitorInfo,
  MonitorWindow,
  Rollout,
  Run,
  RunPage,
  RunRow,
  Signature
} from '../src/api/types';

// Records as the server gives them; a test changes what it is about.

const AT = '2026-11-22T12:00:00+00:00';

export function makeRun(fields: Partial<Run> = {}): Run {
  return {
    run_id: 'r-1',
    name: 'late-flights',
    experiment: 'default',
    status: 'finished',
    actor: 'ada',
    started_at: AT,
    source: {
      kind: 'cell',
      code: 'fit()',
      notebook_path: 'a.ipynb',
      cell_id: 'c1',
      execution_count: 7
    },
    finished_at: AT,
    duration_seconds: 14.2,
    seed: 7,
    note: null,
    params: {},
    metrics: { auc: 0.782349 },
    tags: {},
    inputs: [
      { variable: 'spring', dataset_ref: 'flights@v3', digest: 'd', n_rows: 10, n_columns: 2 }
    ],
    artifacts: [],
    environment_digest: null,
    error: null,
    model_refs: [],
    has_model: true,
    has_program: false,
    parent_run_id: null,
    n_children: 0,
    ...fields
  };
}

export function makeRunRow(fields: Partial<RunRow> = {}): RunRow {
  return {
    run_id: 'r-1',
    name: 'late-flights',
    experiment: 'default',
    status: 'finished',
    actor: 'ada',
    started_at: AT,
    duration_seconds: 14.2,
    parent_run_id: null,
    n_children: 0,
    params: {},
    metrics: { auc: 0.782349 },
    tags: {},
    error: null,
    execution_count: 7,
    dataset_refs: ['flights@v3'],
    verdict: null,
    ...fields
  };
}

/** The page of a list of runs that a question is answered with. */
export function makeRunPage(
  rows: readonly RunRow[],
  { limit = 100, offset = 0 }: { limit?: number; offset?: number } = {}
): RunPage {
  return { rows: rows.slice(offset, offset + limit), n_total: rows.length, offset };
}

export function makeDataset(fields: Partial<DatasetVersion> = {}): DatasetVersion {
  return {
    ref: 'flights@v3',
    name: 'flights',
    number: 3,
    digest: 'd',
    n_rows: 336776,
    n_columns: 19,
    size_bytes: 356_000,
    added_bytes: 1000,
    created_at: AT,
    created_by: 'ada',
    columns: [],
    message: null,
    parent_ref: null,
    run_id: null,
    profile_digest: null,
    is_new: true,
    manifest_digest: 'm',
    source: null,
    derived_from: [],
    aliases: [],
    validity: null,
    ...fields
  };
}

export const SIGNATURE: Signature = {
  task: 'classification',
  inputs: [
    { name: 'carrier', kind: 'string', nullable: false, example: 'UA' },
    { name: 'distance', kind: 'integer', nullable: false, example: 1400 },
    { name: 'temp', kind: 'float', nullable: true, example: null },
    { name: 'weekend', kind: 'boolean', nullable: false, example: true }
  ],
  labels: [false, true],
  target: 'late'
};

export function makeModel(fields: Partial<ModelVersion> = {}): ModelVersion {
  return {
    ref: 'flights:4',
    name: 'flights',
    number: 4,
    run_id: 'r-1',
    stage: 'production',
    aliases: ['champion'],
    signature: SIGNATURE,
    metrics: { auc: 0.782 },
    format: 'skops',
    estimator: 'Pipeline',
    model_digest: 'm',
    size_bytes: 1000,
    created_at: AT,
    created_by: 'ada',
    written_by: 'ada',
    dataset_refs: ['flights@v3'],
    onnx_digest: null,
    parity: null,
    gate: null,
    ...fields
  };
}

export function makeDeployment(fields: Partial<Deployment> = {}): Deployment {
  return {
    endpoint: 'flights',
    number: 1,
    model_ref: 'flights:4',
    onnx_digest: 'o',
    signature: SIGNATURE,
    status: 'live',
    share_fraction: 1,
    created_at: AT,
    created_by: 'ada',
    failure: null,
    arm: 'champion',
    wanted_share: 1,
    live_at: AT,
    ...fields
  };
}

export function makeEndpoint(fields: Partial<EndpointInfo> = {}): EndpointInfo {
  return {
    name: 'flights',
    model_name: 'flights',
    created_at: AT,
    created_by: 'ada',
    deployments: [makeDeployment()],
    keys: [
      {
        key_id: 'k1',
        endpoint: 'flights',
        client: 'web',
        key_hash: 'h',
        created_at: AT,
        revoked_at: null,
        scopes: ['predict', 'feedback'],
        expires_at: null,
        rate_per_second: null,
        quota_per_day: null
      }
    ],
    settings: {
      rate_per_second: null,
      max_rows: null,
      max_body_bytes: null,
      timeout_seconds: null,
      cors_origins: [],
      sticky: null,
      sample_fraction: 1,
      sensitive: [],
      min_workers: null,
      max_workers: null,
      is_public: false,
      quota_per_day: null
    },
    rollout: null,
    url: 'http://127.0.0.1:8917/endpoints/flights/predict',
    ...fields
  };
}

export function makeRollout(fields: Partial<Rollout> = {}): Rollout {
  return {
    endpoint: 'flights',
    deployment: 2,
    model_ref: 'flights:5',
    champion_ref: 'flights:4',
    plan: {
      steps: [0.05, 0.25, 1],
      every_seconds: 600,
      guards: [],
      min_requests: 100,
      alpha: 0.05
    },
    state: 'running',
    step: 1,
    step_started_at: AT,
    created_at: AT,
    created_by: 'ada',
    judgements: [],
    reason: null,
    ended_at: null,
    ...fields
  };
}

export function makeJudgement(fields: Partial<GuardJudgement> = {}): GuardJudgement {
  return {
    guard: 'error_rate<1%',
    state: 'holds',
    challenger: 0.002,
    champion: 0.001,
    n_challenger: 500,
    n_champion: 4500,
    words: '1 of 500 (0.20%), allowed are 1.00%: within',
    tested: 0.002,
    low: 0.0001,
    high: 0.02,
    allowed: 0.01,
    evidence: 0.3,
    evidence_needed: 20,
    ...fields
  };
}

export function makeDrift(fields: Partial<ColumnDrift> = {}): ColumnDrift {
  return {
    name: 'temp',
    measure: 'wasserstein',
    score: 0.05,
    threshold: 0.1,
    drifted: false,
    status: 'stable',
    p_value: null,
    reference_mean: 10,
    current_mean: 11,
    reference_null_fraction: 0,
    current_null_fraction: 0,
    reason: null,
    ...fields
  };
}

export function makeWindow(fields: Partial<MonitorWindow> = {}): MonitorWindow {
  return {
    endpoint: 'flights',
    model_ref: 'flights:4',
    number: 1,
    started_at: AT,
    ended_at: AT,
    n_rows: 5000,
    report: {
      reference: 'flights@v3',
      current: 'window 1',
      n_reference_rows: 1000,
      n_current_rows: 5000,
      columns: [
        makeDrift(),
        makeDrift({ name: 'dest', score: 0.5, drifted: true, status: 'drifted' })
      ],
      created_at: AT,
      prediction: makeDrift({ name: 'prediction' })
    },
    n_labels: 0,
    accuracy: null,
    ...fields
  };
}

export function makeMonitor(fields: Partial<MonitorInfo> = {}): MonitorInfo {
  return {
    endpoint: 'flights',
    model_ref: 'flights:4',
    reference_ref: 'flights@v3',
    n_predictions: 5000,
    n_labels: 0,
    windows: [makeWindow()],
    alerts: [],
    pending_rows: 0,
    window_rows: 5000,
    error: null,
    ...fields
  };
}

export function makeAlert(fields: Partial<Alert> = {}): Alert {
  return {
    alert_id: 'a1',
    endpoint: 'flights',
    rule: 'drift',
    message: 'AUC 0.71 is below the champion',
    state: 'open',
    raised_at: AT,
    resolved_at: null,
    ...fields
  };
}
