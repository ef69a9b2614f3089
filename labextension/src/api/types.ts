// Written by `python -m snapml_jupyter.cli.typescript`. Do not edit: change the Python record and write it again.
/* eslint-disable */

/** A float on the wire: JSON has no NaN and no infinities. */
export type Float = number | 'nan' | 'inf' | '-inf';

/**
 * Two live versions on the labels of their own requests, since their shares are as they are.
 *
 * `difference` is challenger minus champion, within `low` and `high` at all times with 95%. `has_right_shares` is false when
 * requests did not fall on the versions as they should, which makes any verdict worthless. `better` is a version's reference
 * once it is known.
 */
export interface ABTest {
  endpoint: string;
  metric: string;
  champion_ref: string;
  challenger_ref: string;
  started_at: string;
  share: Float;
  n_champion: number;
  n_challenger: number;
  n_champion_labels: number;
  n_challenger_labels: number;
  has_right_shares: boolean;
  champion: Float | null;
  challenger: Float | null;
  difference: Float | null;
  low: Float | null;
  high: Float | null;
  better: string | null;
  words: string;
}

/**
 * How the answers of a shadow or challenger compare with the champion's on the same rows, since the workers started.
 *
 * Rows agree with equal labels, or numbers within 1e-6 relative. Latency is of the other version's run, in milliseconds.
 */
export interface Agreement {
  model_ref: string;
  n_rows: number;
  n_equal: number;
  n_dropped: number;
  largest_difference: Float;
  mean_ms: Float | null;
  worst: WorstRow[];
}

/** A message that something watched has crossed its rule. */
export interface Alert {
  alert_id: string;
  endpoint: string;
  rule: string;
  message: string;
  state: AlertState;
  raised_at: string;
  resolved_at: string | null;
}

/** Open until someone acknowledges it; resolved when the condition is gone. */
export type AlertState = 'acknowledged' | 'open' | 'resolved';

/**
 * A client's key, without the secret: only `key_hash` (SHA-256 of the key, hex) is ever stored.
 *
 * `rate_per_second` and `quota_per_day` (UTC) count requests; None is no limit.
 */
export interface ApiKey {
  key_id: string;
  endpoint: string;
  client: string;
  key_hash: string;
  created_at: string;
  revoked_at: string | null;
  scopes: Scope[];
  expires_at: string | null;
  rate_per_second: Float | null;
  quota_per_day: number | null;
}

/** What a deployment is to its endpoint. */
export type Arm = 'challenger' | 'champion' | 'shadow';

/** One version's part: its share, and requests, errors and latencies since the workers started (milliseconds). */
export interface ArmTraffic {
  model_ref: string;
  deployment: number;
  arm: Arm;
  share_fraction: Float;
  n_requests: number;
  n_errors: number;
  requests_per_second: Float;
  p50_ms: Float | null;
  p95_ms: Float | null;
  p99_ms: Float | null;
}

/** A file that the run left behind; `path` is relative to the run. */
export interface Artifact {
  path: string;
  digest: string;
  size_bytes: number;
  media_type: string;
}

/** One link of the audit chain: `digest` covers every field and the digest before it. */
export interface AuditEntry {
  number: number;
  at: string;
  actor: string;
  operation: string;
  subject: string;
  details: Record<string, unknown>;
  previous_digest: string;
  digest: string;
}

/** A dataset version that the cell read. */
export interface CardInput {
  dataset_ref: string;
  n_rows: number;
  n_columns: number;
}

/** A metric: its newest value, and its curve thinned to what a sparkline can show (empty for a single point). */
export interface CardMetric {
  name: string;
  value: Float;
  curve: Float[];
}

/**
 * One thing that was looked at: `name` is `group.what`, `message` a sentence with the figures.
 *
 * `value` and `limit` are what was measured and what was allowed, where they are single numbers.
 */
export interface Check {
  name: string;
  status: CheckStatus;
  message: string;
  seconds: Float;
  value: Float | null;
  limit: Float | null;
}

/** `skipped` checks had nothing to judge, and their message says why; they do not fail anything. */
export type CheckStatus = 'failed' | 'passed' | 'skipped';

/**
 * Where a chunk of a column lies: a range of bytes in the blob `pack_digest`.
 *
 * A reader locates thousands of chunks and wants the figures of few, so they stay packed until they are asked for.
 */
export interface ChunkPlace {
  digest: string;
  pack_digest: string;
  offset: number;
  length: number;
  packed_figures: string | null;
}

/** What `gc` removed, or would remove: versions by reference, blobs by number, and the bytes that are freed. */
export interface CleaningReport {
  dry_run: boolean;
  versions: string[];
  n_blobs: number;
  n_packs_rewritten: number;
  freed_bytes: number;
  n_kept_young: number;
  problems: string[];
}

/** How the code of a run differs from that of another, as lines of a unified diff; none when it is the same. */
export interface CodeDiff {
  run_id: string;
  lines: string[];
  n_added: number;
  n_removed: number;
}

/** One column of a version. `type` is the Arrow type, `dtype` what pandas called it. */
export interface Column {
  name: string;
  type: string;
  dtype: string;
  nullable: boolean;
  is_index: boolean;
}

/** One column in both versions. `n_changed` counts rows that are in both (by key) with another value in it. */
export interface ColumnDiff {
  name: string;
  type: string;
  is_same: boolean;
  n_changed: number | null;
  before: ColumnFigures | null;
  after: ColumnFigures | null;
}

/** How far one column moved. `score` above `threshold` is drift; `p_value` where the measure has one. */
export interface ColumnDrift {
  name: string;
  measure: string;
  score: Float | null;
  threshold: Float;
  drifted: boolean;
  status: DriftStatus;
  p_value: Float | null;
  reference_mean: Float | null;
  current_mean: Float | null;
  reference_null_fraction: Float | null;
  current_null_fraction: Float | null;
  reason: string | null;
}

/**
 * Figures of one column of one version; None where the type has no such figure.
 *
 * Times are ISO 8601 text in `minimum_text` and `maximum_text`; texts are described by `mean_length`.
 */
export interface ColumnFigures {
  n_rows: number;
  n_nulls: number;
  mean: Float | null;
  standard_deviation: Float | null;
  minimum: Float | null;
  maximum: Float | null;
  minimum_text: string | null;
  maximum_text: string | null;
  mean_length: Float | null;
}

/** The types a client sends. `string` includes categories; `datetime` is ISO text. */
export type ColumnKind = 'boolean' | 'datetime' | 'float' | 'integer' | 'string';

/**
 * Statistics of one column; counts in rows, `histogram` as (edges, counts) of the non-null numbers.
 *
 * Datetimes are seconds since 1970 UTC; `minimum_text` and `maximum_text` say the ends in ISO form.
 */
export interface ColumnProfile {
  name: string;
  type: string;
  n_rows: number;
  n_nulls: number;
  n_distinct: Float;
  mean: Float | null;
  standard_deviation: Float | null;
  minimum: Float | null;
  median: Float | null;
  maximum: Float | null;
  histogram_edges: Float[] | null;
  histogram_counts: Float[] | null;
  top_values: [string, Float][] | null;
  minimum_text: string | null;
  maximum_text: string | null;
}

/** The dataset version that each run read through a variable; None where it read none. */
export interface ComparedInput {
  variable: string;
  dataset_refs: (string | null)[];
  differs: boolean;
}

/** One param, metric or fact of the environment in each of the runs, in their order; None where a run has none. */
export interface ComparedValue {
  name: string;
  values: (boolean | number | Float | string | null)[];
  differs: boolean;
}

/**
 * What differs between two versions. `keys` are the columns that say which rows are the same; none: by content.
 *
 * `n_changed` is 0 without keys: a row with another value is then one removed and one added.
 * `bytes_read` are the stored bytes of chunks that were looked at; `n_chunks_shared` were not.
 */
export interface DatasetDiff {
  before_ref: string;
  after_ref: string;
  is_same: boolean;
  keys: string[];
  n_rows_before: number;
  n_rows_after: number;
  n_added: number;
  n_removed: number;
  n_changed: number;
  schema_changes: SchemaChange[];
  columns: ColumnDiff[];
  sample_columns: string[];
  sample: RowChange[];
  n_chunks_shared: number;
  n_chunks_read: number;
  bytes_read: number;
}

/** The profile of a version, one entry per column. `sampled_rows` when it was taken of that many rows only. */
export interface DatasetProfile {
  dataset_ref: string;
  n_rows: number;
  columns: ColumnProfile[];
  sampled_rows: number | null;
}

/** What a version was made of: `name` is the variable, the path, the SQL text or the uploaded file's name. */
export interface DatasetSource {
  kind: SourceKind;
  name: string;
  detail: string | null;
}

/** A dataset in a list: its newest version and how many there are. */
export interface DatasetSummary {
  name: string;
  n_versions: number;
  latest: DatasetVersion;
}

/**
 * One version: `ref` is `name@vN`, `digest` names its content whatever its name or number.
 *
 * `added_bytes` is what this version added to the store; content shared with others is not counted.
 * `is_new` is false when a snapshot found the same content already kept as this version.
 * `manifest_digest` is the blob that says where the content lies. `derived_from` are versions of other datasets.
 */
export interface DatasetVersion {
  ref: string;
  name: string;
  number: number;
  digest: string;
  n_rows: number;
  n_columns: number;
  size_bytes: number;
  added_bytes: number;
  created_at: string;
  created_by: string;
  columns: Column[];
  message: string | null;
  parent_ref: string | null;
  run_id: string | null;
  profile_digest: string | null;
  is_new: boolean;
  manifest_digest: string;
  source: DatasetSource | null;
  derived_from: string[];
  aliases: string[];
  validity: string | null;
}

export interface DatasetsDiffVersionsArguments {
  before: string;
  after: string;
  keys?: string[] | null;
  limit?: number;
}

export interface DatasetsFindMissingChunksArguments {
  digests: string[];
}

export interface DatasetsFindVersionByDigestArguments {
  digest: string;
  name?: string | null;
}

export interface DatasetsGetManifestArguments {
  manifest_digest: string;
}

export interface DatasetsGetProfileArguments {
  ref: string;
}

export interface DatasetsGetRowsArguments {
  ref: string;
  offset?: number;
  limit?: number;
}

export interface DatasetsGetVersionArguments {
  ref: string;
}

export type DatasetsListDatasetsArguments = Record<string, never>;

export interface DatasetsListVersionsArguments {
  name: string;
}

export interface DatasetsLocateChunksArguments {
  digests: string[];
}

export interface DatasetsRecordVersionArguments {
  name: string;
  manifest_digest: string;
  pack_digests: string[];
  message?: string | null;
  run_id?: string | null;
  source?: DatasetSource | null;
  derived_from?: string[] | null;
  manifest_text?: string | null;
}

export interface DatasetsRemoveAliasArguments {
  name: string;
  alias: string;
}

export interface DatasetsSetAliasArguments {
  ref: string;
  alias: string;
}

/** What a deploy gave. `api_key` is shown here once and never again; None when the endpoint existed. */
export interface DeployOutcome {
  endpoint: EndpointInfo;
  deployment: Deployment;
  api_key: string | null;
}

/** One model version behind an endpoint. `share_fraction` is its part of the traffic now, `wanted_share` when it becomes live. */
export interface Deployment {
  endpoint: string;
  number: number;
  model_ref: string;
  onnx_digest: string;
  signature: Signature;
  status: DeploymentStatus;
  share_fraction: Float;
  created_at: string;
  created_by: string;
  failure: string | null;
  arm: Arm;
  wanted_share: Float;
  live_at: string | null;
}

/** `starting` until a worker has answered the smoke request, then `live`; `retired` when replaced. */
export type DeploymentStatus = 'failed' | 'live' | 'retired' | 'starting';

/**
 * One thing that is not the same: where (`metric auc`, `model.coef_`), both sides as text, and how far apart.
 *
 * `relative` is the largest difference relative to the larger side; None where that means nothing.
 */
export interface Difference {
  what: string;
  original: string;
  replay: string;
  relative: Float | null;
  within_tolerance: boolean;
}

/** Reference against current, column by column. `prediction` is the model's output as a column. */
export interface DriftReport {
  reference: string;
  current: string;
  n_reference_rows: number;
  n_current_rows: number;
  columns: ColumnDrift[];
  created_at: string;
  prediction: ColumnDrift | null;
}

/** The verdict on one column. */
export type DriftStatus = 'drifted' | 'not_comparable' | 'not_enough_data' | 'stable';

/** An endpoint as kept; the live object users hold (`Endpoint`) wraps it. `rollout` is the one that runs or ran last. */
export interface EndpointInfo {
  name: string;
  model_name: string;
  created_at: string;
  created_by: string;
  deployments: Deployment[];
  keys: ApiKey[];
  url: string | null;
  settings: EndpointSettings;
  rollout: Rollout | null;
}

/**
 * Traffic counts since the workers started, summed over them. Latencies in milliseconds.
 *
 * `n_workers` answer now; `busy_fraction` is the share of the last ten seconds in which the busiest of them computed.
 */
export interface EndpointMetrics {
  endpoint: string;
  n_requests: number;
  n_errors: number;
  n_rows: number;
  n_predictions_dropped: number;
  requests_per_second: Float;
  p50_ms: Float | null;
  p95_ms: Float | null;
  p99_ms: Float | null;
  n_workers: number;
  busy_fraction: Float;
}

/**
 * What an endpoint allows. Rates in requests a second and quotas a day (UTC), of all keys together; None is no limit.
 *
 * `sticky` is "key", the name of a header, or None: requests of one client then always meet the same version.
 * `sample_fraction` of the requests are logged; values of `sensitive` columns never are. Workers serve all endpoints of the
 * host, so the largest wish for `min_workers` and `max_workers` counts. Other machines reach only endpoints that are public.
 */
export interface EndpointSettings {
  rate_per_second: Float | null;
  max_rows: number | null;
  max_body_bytes: number | null;
  timeout_seconds: Float | null;
  cors_origins: string[];
  sticky: string | null;
  sample_fraction: Float;
  sensitive: string[];
  min_workers: number | null;
  max_workers: number | null;
  is_public: boolean;
  quota_per_day: number | null;
}

/** What the tests of an endpoint found. */
export interface EndpointTest {
  endpoint: string;
  model_ref: string;
  url: string;
  passed: boolean;
  checks: Check[];
  checked_at: string;
  duration_seconds: Float;
}

/** Requests today (UTC) that an endpoint and each of its keys let through; None beyond the 2,048 that are counted. */
export interface EndpointUsage {
  endpoint: string;
  n_today: number | null;
  keys: KeyUsage[];
}

/** What the run ran on. Stored once per distinct content; `digest` names it. */
export interface Environment {
  digest: string;
  python_version: string;
  platform: string;
  cpu: string;
  n_cpus: number;
  packages: Record<string, string>;
  variables: Record<string, string>;
  git_commit: string | null;
  git_branch: string | null;
  git_dirty: boolean | null;
  threads: Record<string, number>;
  kernel: string | null;
  hub_user: string | null;
}

export interface Error {
  error: string;
  message: string;
}

/** A change, written in the same transaction as the change itself. `event_id` only grows. */
export interface Event {
  event_id: number;
  kind: string;
  subject: string;
  actor: string;
  at: string;
  details: Record<string, unknown>;
}

/** One expectation: `column` is None for those of the whole table; `examples` are (row number, value) of failures. */
export interface ExpectationResult {
  expectation: string;
  column: string | null;
  passed: boolean;
  message: string;
  n_failing: number;
  examples: [number, unknown][] | null;
}

/** A model version judged by a `gates.toml`, whose text is `gates`. Every outcome is kept. */
export interface GateOutcome {
  model_ref: string;
  number: number;
  passed: boolean;
  checks: Check[];
  gates: string;
  checked_at: string;
  checked_by: string;
  duration_seconds: Float;
}

/** The newest outcome of a version in one line. */
export interface GateSummary {
  passed: boolean;
  n_checks: number;
  n_failed: number;
  checked_at: string;
}

export interface GatesCheckEndpointArguments {
  name: string;
  p99_ms?: Float | null;
  memory_bytes?: number | null;
}

export interface GatesGateArguments {
  ref: string;
  gates: string;
}

export interface GatesListGateOutcomesArguments {
  ref: string;
  limit?: number;
}

export interface GovernanceCollectGarbageArguments {
  dry_run?: boolean;
  keep?: number | null;
  older_than_seconds?: Float | null;
}

export interface GovernanceExportOpenlineageArguments {
  ref: string;
  direction?: string;
}

export interface GovernanceGetLineageArguments {
  ref: string;
  direction?: string;
  depth?: number;
}

export type GovernanceGetStatusArguments = Record<string, never>;

export interface GovernanceListAuditEntriesArguments {
  subject?: string | null;
  limit?: number;
}

export interface GovernanceListEventsArguments {
  after?: number;
  limit?: number;
}

export type GovernanceVerifyArguments = Record<string, never>;

/**
 * One condition on a challenger: `metric` `relation` `threshold`, the threshold counted from the champion when `is_relative`.
 *
 * Fractions are fractions (1% is 0.01), times milliseconds. `text` is as it was written.
 */
export interface Guard {
  metric: string;
  relation: string;
  threshold: Float;
  is_relative: boolean;
  text: string;
}

/**
 * What is known of one guard: broken (with the chance of error that was allowed), holding, or not yet known.
 *
 * `challenger` and `champion` are the figures that the guard is about, latencies in milliseconds. What is tested is a share of
 * bad requests or rows, or the challenger's figure less what it is counted from: `tested`, within `low` and `high` at all
 * times, against what is `allowed`. A share is broken when the `evidence` against it reaches `evidence_needed`.
 */
export interface GuardJudgement {
  guard: string;
  state: string;
  challenger: Float | null;
  champion: Float | null;
  n_challenger: number;
  n_champion: number;
  words: string;
  tested: Float | null;
  low: Float | null;
  high: Float | null;
  allowed: Float | null;
  evidence: Float | null;
  evidence_needed: Float | null;
}

/** The newest lines that the host and its workers have written, oldest first. `has_more` when there are older ones. */
export interface HostLog {
  path: string;
  lines: string[];
  has_more: boolean;
}

/** The workspace's background process. `port` is where endpoints answer. */
export interface HostStatus {
  running: boolean;
  pid: number | null;
  port: number | null;
  url: string | null;
  started_at: string | null;
  heartbeat_at: string | null;
  n_workers: number;
  version: string | null;
  problem: string | null;
}

/** A new key at the one moment it is known in full. */
export interface IssuedKey {
  key: ApiKey;
  api_key: string;
}

/** Requests with one key today (UTC) that were let through; None for a key that was revoked. */
export interface KeyUsage {
  key_id: string;
  n_today: number | null;
}

/**
 * `source` went into `target`, by their node ids.
 *
 * `role`: "read", "produced", "parent", "derived", "same" (content under another name), "trained", "serves", "reference", "taken".
 */
export interface LineageEdge {
  source: string;
  target: string;
  role: string;
}

/** `node_id` is unique in a graph (`dataset:flights@v3`, `run:20261101-...`); `ref` is what the noun's own page takes. */
export interface LineageNode {
  node_id: string;
  kind: NodeKind;
  ref: string;
  label: string;
  created_at: string | null;
  created_by: string | null;
  details: Record<string, string>;
}

/** Everything that one node comes from and everything that comes from it. `root` is a node id. */
export interface LineageRecord {
  root: string;
  nodes: LineageNode[];
  edges: LineageEdge[];
  is_cut: boolean;
}

/**
 * A metric over the course of a run, thinned to what a chart can show: of `n_points` those that stand out.
 *
 * `seconds` counts from the start of the run.
 */
export interface MetricCurve {
  run_id: string;
  name: string;
  n_points: number;
  steps: number[];
  values: Float[];
  seconds: Float[];
}

/** One measured number; `step` counts from 0 within its name. */
export interface MetricPoint {
  name: string;
  value: Float;
  step: number;
  logged_at: string;
}

/** A number to record. Without a step it gets the next one of its name; without a time, the time it is written. */
export interface MetricValue {
  name: string;
  value: Float;
  step: number | null;
  logged_at: string | null;
}

/** What the cell reads and could not be kept: a name or a file, what it is, why not, and the line that reads it. */
export interface MissingValue {
  name: string;
  type: string;
  reason: string;
  line: number | null;
}

/** How the fitted object is kept. `pickle` runs code when loaded; `skops` does not. */
export type ModelFormat = 'pickle' | 'skops';

/** One registered version: `ref` is `name:N`; `model_digest` names the stored object, `onnx_digest` its export. */
export interface ModelVersion {
  ref: string;
  name: string;
  number: number;
  run_id: string;
  stage: Stage;
  aliases: string[];
  signature: Signature;
  metrics: Record<string, Float>;
  format: ModelFormat;
  estimator: string;
  model_digest: string;
  size_bytes: number;
  created_at: string;
  created_by: string;
  written_by: string;
  dataset_refs: string[];
  onnx_digest: string | null;
  parity: Parity | null;
  gate: GateSummary | null;
}

/** What is watched for an endpoint: the reference and the windows so far, newest last. */
export interface MonitorInfo {
  endpoint: string;
  model_ref: string;
  reference_ref: string;
  n_predictions: number;
  n_labels: number;
  windows: MonitorWindow[];
  alerts: Alert[];
  pending_rows: number;
  window_rows: number;
  error: string | null;
}

/**
 * A closed window of one endpoint's predictions, judged against the reference.
 *
 * `accuracy` is the share of predicted labels that the arrived labels confirm; None until labels come.
 */
export interface MonitorWindow {
  endpoint: string;
  model_ref: string;
  number: number;
  started_at: string;
  ended_at: string;
  n_rows: number;
  report: DriftReport;
  n_labels: number;
  accuracy: Float | null;
}

export interface MonitoringAcknowledgeAlertArguments {
  alert_id: string;
}

export interface MonitoringCloseWindowArguments {
  endpoint: string;
}

export interface MonitoringCreateMonitorArguments {
  endpoint: string;
  reference_ref?: string | null;
  window_rows?: number | null;
}

export interface MonitoringDriftArguments {
  reference_ref: string;
  current_ref: string;
  columns?: string[] | null;
  preset?: string | null;
}

export interface MonitoringGetAbTestArguments {
  name: string;
  metric?: string;
  min_labels?: number;
}

export interface MonitoringGetMonitorArguments {
  endpoint: string;
}

export interface MonitoringListAlertsArguments {
  state?: AlertState | null;
}

export type MonitoringListMonitorsArguments = Record<string, never>;

export interface MonitoringRecordFeedbackArguments {
  endpoint: string;
  labels: Record<string, unknown>[];
}

/** What a node of the graph is. */
export type NodeKind = 'dataset' | 'endpoint' | 'model' | 'run' | 'source';

/**
 * Proof that the exported graph answers like the model, on `n_rows` real rows.
 *
 * `max_difference` is the largest absolute difference of probabilities (or predictions, relative above 1).
 * `worst_rows` are positions in the training data, `worst_differences` how much each differs. `accepted_by` is who let
 * the graph be kept although it did not pass.
 */
export interface Parity {
  n_rows: number;
  max_difference: Float;
  label_agreement: Float;
  tolerance: Float;
  passed: boolean;
  source_ref: string | null;
  worst_rows: number[];
  worst_differences: Float[];
  accepted_by: string | null;
}

/** What a part of a program is. */
export type PartKind = 'definition' | 'imports' | 'value';

/** Something `snapml verify` found wrong, by name. */
export interface Problem {
  kind: string;
  subject: string;
  message: string;
}

/**
 * All that is needed to run a recorded cell in an empty folder.
 *
 * `body` is the cell without the magic's line. The values of `state_names` lie in the blob `state_digest`, objects by
 * value; those that definitions read as they are executed also in `early_digest`. `random` is the state of the random
 * generators named in `generators` as the cell began (base 64), `entropy` what generators made without a seed are seeded with, `settings` the
 * options of libraries as JSON. `folder` is the working folder below the program's root, so that paths with `..` mean
 * the same; `folders` were there as the cell began, and it writes into them.
 */
export interface Program {
  run_id: string;
  body: string;
  kernel: string;
  execution_count: number | null;
  parts: ProgramPart[];
  tables: ProgramTable[];
  state_names: string[];
  state_digest: string | null;
  state_bytes: number;
  early_digest: string | null;
  random: string | null;
  generators: string[];
  entropy: string | null;
  settings: string;
  files: ProgramFile[];
  folders: string[];
  folder: string;
  missing: MissingValue[];
  given: Record<string, boolean | number | Float | string | null>;
  seed: number | null;
  threads: Record<string, number>;
  git_diff_digest: string | null;
}

/** A file or module that the cell reads, by its path from the program's folder. */
export interface ProgramFile {
  path: string;
  digest: string;
  size_bytes: number;
}

/**
 * Source that gives `names` their values: an import, a function or class, or a small value.
 *
 * `cell` is the execution count of the cell it was found in.
 */
export interface ProgramPart {
  kind: PartKind;
  names: string[];
  code: string;
  cell: number | null;
}

/**
 * A table that the cell reads: where it lies (`df`, `splits.0`), its dataset version, and what the value was.
 *
 * `kind` is frame, series, array, polars, polars-series or arrow; `order` the memory order ("C" or "F") where it is one
 * block; `dtype` and `n_dims` of an array; `name` of a series, as a literal.
 */
export interface ProgramTable {
  place: string;
  dataset_ref: string;
  kind: string;
  dtype: string | null;
  n_dims: number | null;
  order: string | null;
  name: string | null;
}

/** A model name in a list, with its newest version and the champion if one is set. */
export interface RegisteredModel {
  name: string;
  n_versions: number;
  latest: ModelVersion;
  champion: ModelVersion | null;
}

export interface RegistryEnsureExportedArguments {
  ref: string;
  trust?: boolean;
  accept_parity?: boolean;
}

export interface RegistryGetModelArguments {
  ref: string;
}

export interface RegistryListModelVersionsArguments {
  name: string;
}

export type RegistryListModelsArguments = Record<string, never>;

export interface RegistryPromoteArguments {
  ref: string;
  stage: Stage;
}

export interface RegistryRegisterArguments {
  run_ref: string;
  name: string;
}

export interface RegistrySetAliasArguments {
  ref: string;
  alias: string;
}

/**
 * A replay and its verdict. `compared` counts what the verdict rests on; `causes` are the likely ones, best first.
 *
 * `run_id` is None when no run could be made (the recorded environment could not be built).
 */
export interface ReplayReport {
  verdict: Verdict;
  original_run_id: string;
  run_id: string | null;
  created_at: string;
  differences: Difference[];
  causes: string[];
  missing: MissingValue[];
  compared: Record<string, number>;
  not_compared: string[];
  reason: string;
  tolerance: Float;
  environment: string;
  data: Record<string, string>;
  params: Record<string, boolean | number | Float | string | null>;
  duration_seconds: Float | null;
}

/** A challenger on its way. `step` counts from 0; `reason` is why it ended, or what it waits for. */
export interface Rollout {
  endpoint: string;
  deployment: number;
  model_ref: string;
  champion_ref: string;
  plan: RolloutPlan;
  state: RolloutState;
  step: number;
  step_started_at: string;
  created_at: string;
  created_by: string;
  judgements: GuardJudgement[];
  reason: string | null;
  ended_at: string | null;
}

/** Shares of the challenger in order, each held at least `every_seconds` and for `min_requests` of its requests. */
export interface RolloutPlan {
  steps: Float[];
  every_seconds: Float;
  guards: Guard[];
  min_requests: number;
  alpha: Float;
}

/** `running` until the last step held (`promoted`), a guard was broken (`rolled_back`) or somebody stopped it. */
export type RolloutState = 'promoted' | 'rolled_back' | 'running' | 'stopped';

/** One row that differs: `change` is "added", "removed" or "changed"; values by the columns of `DatasetDiff.sample_columns`. */
export interface RowChange {
  change: string;
  row_before: number | null;
  row_after: number | null;
  before: unknown[] | null;
  after: unknown[] | null;
}

/**
 * One run as it is kept. Metrics hold the latest value of each name; points have their own call.
 *
 * `parent_run_id` is the run it was started inside of, `n_children` how many were started inside of it.
 */
export interface Run {
  run_id: string;
  name: string;
  experiment: string;
  status: RunStatus;
  actor: string;
  started_at: string;
  source: RunSource;
  finished_at: string | null;
  duration_seconds: Float | null;
  seed: number | null;
  note: string | null;
  params: Record<string, boolean | number | Float | string | null>;
  metrics: Record<string, Float>;
  tags: Record<string, string>;
  inputs: RunInput[];
  artifacts: Artifact[];
  environment_digest: string | null;
  error: RunError | null;
  model_refs: string[];
  has_model: boolean;
  has_program: boolean;
  parent_run_id: string | null;
  n_children: number;
}

/** Everything that the card says. `seconds` is how long the cell took, or has taken so far. */
export interface RunCard {
  run_id: string;
  name: string;
  status: RunStatus;
  seconds: Float;
  metrics: CardMetric[];
  inputs: CardInput[];
  model: string | null;
  model_ref: string | null;
  has_model: boolean;
  can_be_replayed: boolean;
  error: string | null;
  not_captured: string | null;
  warnings: string[];
}

/** The names that runs of the workspace have values of. */
export interface RunColumns {
  params: string[];
  metrics: string[];
  tags: string[];
}

/** Two or more runs side by side. Of the environment only what differs, and Python's version, unless all was asked. */
export interface RunComparison {
  runs: Run[];
  params: ComparedValue[];
  metrics: ComparedValue[];
  inputs: ComparedInput[];
  environment: ComparedValue[];
  code: CodeDiff[];
  curves: MetricCurve[];
}

/** The exception that ended a run; `line` counts from 1 within the user's cell. */
export interface RunError {
  type: string;
  message: string;
  line: number | null;
  traceback: string;
}

/** A dataset version that the run read, and the variable it was read through. */
export interface RunInput {
  variable: string;
  dataset_ref: string;
  digest: string;
  n_rows: number;
  n_columns: number;
}

/** The fitted object a run kept, before it is registered under any name. */
export interface RunModel {
  run_id: string;
  variable: string;
  estimator: string;
  format: ModelFormat;
  model_digest: string;
  size_bytes: number;
  signature: Signature;
  written_by: string;
  training_ref: string | null;
}

/** Some rows of a list of `n_total`, from `offset` on. */
export interface RunPage {
  rows: RunRow[];
  n_total: number;
  offset: number;
}

/** The process a run lives in: `created_at` (seconds since 1970) tells it from a later one with the same pid. */
export interface RunProcess {
  host: string;
  pid: number;
  created_at: Float;
}

/**
 * A run as a row of a long list: without its code and files, and only the values that were asked for.
 *
 * `error`, `execution_count`, `dataset_refs` and `verdict` only where details were asked for. The verdict is that of the
 * newest replay that was given the same data and params; of a replay's own run, that of its replay.
 */
export interface RunRow {
  run_id: string;
  name: string;
  experiment: string;
  status: RunStatus;
  actor: string;
  started_at: string;
  duration_seconds: Float | null;
  parent_run_id: string | null;
  n_children: number;
  params: Record<string, boolean | number | Float | string | null>;
  metrics: Record<string, Float>;
  tags: Record<string, string>;
  error: string | null;
  execution_count: number | null;
  dataset_refs: string[];
  verdict: Verdict | null;
}

/** Where the code came from: the cell as the user wrote it, and the notebook it stands in. */
export interface RunSource {
  kind: string;
  code: string | null;
  notebook_path: string | null;
  cell_id: string | null;
  execution_count: number | null;
}

/** Where a run stands. `running` ends in exactly one of the others. */
export type RunStatus = 'cancelled' | 'failed' | 'finished' | 'interrupted' | 'running';

export interface RunsCompareRunsArguments {
  refs: string[];
  max_points?: number;
  whole_environment?: boolean;
}

export interface RunsCreateRunArguments {
  name?: string | null;
  experiment?: string | null;
  seed?: number | null;
  tags?: Record<string, string> | null;
  note?: string | null;
  source?: RunSource | null;
  environment?: Environment | null;
  process?: RunProcess | null;
  parent?: string | null;
}

export interface RunsDiffRunCodeArguments {
  first: string;
  other: string;
  captured?: boolean;
}

export interface RunsFindOutcomeArguments {
  ref: string;
}

export interface RunsFinishRunArguments {
  run_id: string;
  status?: RunStatus;
  error?: RunError | null;
  duration_seconds?: Float | null;
}

export interface RunsGetEnvironmentArguments {
  digest: string;
}

export interface RunsGetProgramArguments {
  ref: string;
}

export interface RunsGetProgramAuthorArguments {
  ref: string;
}

export interface RunsGetProgramSourceArguments {
  ref: string;
}

export interface RunsGetRunArguments {
  ref: string;
}

export interface RunsGetRunModelArguments {
  run_id: string;
}

export interface RunsListMetricCurvesArguments {
  refs: string[];
  names?: string[] | null;
  max_points?: number;
}

export interface RunsListMetricPointsArguments {
  run_id: string;
  name?: string | null;
  limit?: number;
  offset?: number;
}

export interface RunsListReplaysArguments {
  ref: string;
  limit?: number;
}

export type RunsListRunColumnsArguments = Record<string, never>;

export interface RunsListRunsArguments {
  limit?: number;
  offset?: number;
  name?: string | null;
  status?: RunStatus | null;
  where?: string | null;
  sort?: string | null;
  top_level?: boolean;
}

export interface RunsRecordArtifactArguments {
  run_id: string;
  artifact: Artifact;
}

export interface RunsRecordInputArguments {
  run_id: string;
  variable: string;
  dataset_ref: string;
}

export interface RunsRecordMetricsArguments {
  run_id: string;
  metrics: MetricValue[];
}

export interface RunsRecordModelArguments {
  run_id: string;
  model: RunModel;
}

export interface RunsRecordParamsArguments {
  run_id: string;
  params: Record<string, boolean | number | Float | string | null>;
}

export interface RunsRecordProgramArguments {
  run_id: string;
  program: Program;
  outcome_digest?: string | null;
}

export interface RunsRecordReplayArguments {
  report: ReplayReport;
}

export interface RunsRecordTagsArguments {
  run_id: string;
  tags: Record<string, string>;
}

export interface RunsResumeRunArguments {
  ref: string;
  process?: RunProcess | null;
}

export interface RunsSearchRunsArguments {
  where?: string | null;
  sort?: string | null;
  limit?: number;
  offset?: number;
  columns?: string[] | null;
  parent?: string | null;
  top_level?: boolean;
  text?: string | null;
  details?: boolean;
}

/** What became of one column: `change` is "added", "removed", "retyped", "moved" or "index". */
export interface SchemaChange {
  column: string;
  change: string;
  before: string | null;
  after: string | null;
}

/** What a key may do; `admin` may do all, and read the endpoint's traffic. */
export type Scope = 'admin' | 'feedback' | 'predict';

export interface ServingChangeEndpointArguments {
  name: string;
  settings: EndpointSettings;
}

export interface ServingChangeKeyArguments {
  key_id: string;
  expires_in_seconds?: Float | null;
  rate_per_second?: Float | null;
  quota_per_day?: number | null;
}

export interface ServingCreateKeyArguments {
  endpoint: string;
  client: string;
  scopes?: Scope[] | null;
  expires_in_seconds?: Float | null;
  rate_per_second?: Float | null;
  quota_per_day?: number | null;
}

export interface ServingDeployArguments {
  model_ref: string;
  endpoint?: string | null;
  arm?: Arm;
  share?: Float;
  plan?: RolloutPlan | null;
  changes?: Record<string, unknown> | null;
  accept_parity?: boolean;
}

export interface ServingGetEndpointArguments {
  name: string;
}

export interface ServingGetEndpointMetricsArguments {
  name: string;
}

export type ServingGetHostStatusArguments = Record<string, never>;

export interface ServingGetTrafficArguments {
  name: string;
}

export interface ServingGetTrafficHistoryArguments {
  name: string;
  seconds?: Float;
  max_points?: number;
}

export interface ServingGetUsageArguments {
  endpoint: string;
}

export type ServingListEndpointsArguments = Record<string, never>;

export interface ServingPromoteArguments {
  name: string;
}

export interface ServingQuarantineArguments {
  name: string;
  deployment: number;
  reason: string;
}

export interface ServingReadHostLogArguments {
  n_lines?: number;
  contains?: string;
}

export interface ServingRevokeKeyArguments {
  key_id: string;
}

export interface ServingRollBackArguments {
  name: string;
  reason?: string | null;
}

export interface ServingRotateKeyArguments {
  key_id: string;
  overlap_seconds?: Float;
}

export interface ServingSetTrafficArguments {
  name: string;
  shares: Record<string, Float>;
}

export type ServingStartHostArguments = Record<string, never>;

export type ServingStopHostArguments = Record<string, never>;

export interface ServingTakeRolloutStepArguments {
  name: string;
  step: number;
}

export interface ServingUndeployArguments {
  name: string;
}

/**
 * Names and types of what goes in and what comes out.
 *
 * `labels` are the classes in the order of the probabilities (None for regression), as JSON scalars.
 */
export interface Signature {
  task: Task;
  inputs: SignatureColumn[];
  labels: (boolean | number | Float | string)[] | null;
  target: string | null;
}

/**
 * One raw input column, with a real value from training as example.
 *
 * `nullable` says whether training rows had missing values here, so whether a request may.
 */
export interface SignatureColumn {
  name: string;
  kind: ColumnKind;
  nullable: boolean;
  example: boolean | number | Float | string | null;
}

/** Where the content of a version came from. */
export type SourceKind = 'file' | 'folder' | 'frame' | 'query' | 'upload';

/** Where a version stands in governance. */
export type Stage = 'archived' | 'none' | 'production' | 'staging';

/** The expectations of one dataset as YAML text. `number` counts its edits; 0 is a proposal that is not kept. */
export interface SuiteVersion {
  dataset: string;
  number: number;
  content: string;
  proposed_from: string | null;
  created_at: string | null;
  created_by: string | null;
}

/** Some rows of a version as JSON-safe values, for display only. */
export interface TablePage {
  dataset_ref: string;
  columns: string[];
  rows: unknown[][];
  offset: number;
  n_rows: number;
}

/** What the model answers. */
export type Task = 'classification' | 'other' | 'regression';

/** An endpoint's live versions, their agreement where both answered, and the rollout that runs or ran last. */
export interface Traffic {
  endpoint: string;
  arms: ArmTraffic[];
  agreements: Agreement[];
  rollout: Rollout | null;
}

/**
 * An endpoint's last minutes or hours, by version: the champion first, then the challenger, the shadow, and earlier ones.
 *
 * A point is `step_seconds` long and begins at its place in `times_ms`, milliseconds since 1970.
 */
export interface TrafficHistory {
  endpoint: string;
  step_seconds: number;
  times_ms: number[];
  versions: VersionHistory[];
  is_host_running: boolean;
}

export interface ValidationGetSuiteArguments {
  name: string;
  number?: number | null;
}

export interface ValidationGetValidationArguments {
  ref: string;
}

export interface ValidationListSuitesArguments {
  name: string;
}

export interface ValidationProposeSuiteArguments {
  ref: string;
}

/** A version judged by a suite. `failing_rows` are the first row numbers (from 0) of the `n_failing_rows` that fail. */
export interface ValidationRecord {
  dataset_ref: string;
  suite_number: number;
  passed: boolean;
  n_rows: number;
  n_failing_rows: number;
  failing_rows: number[];
  results: ExpectationResult[];
  checked_at: string;
}

export interface ValidationSaveSuiteArguments {
  name: string;
  content: string;
  proposed_from?: string | null;
}

export interface ValidationValidateVersionArguments {
  ref: string;
  suite_number?: number | null;
}

/** How a replay compares with the original. */
export type Verdict = 'different' | 'equivalent' | 'identical' | 'not_replayable';

/**
 * What was checked and what is wrong. `passed` when there are no problems.
 *
 * `n_small_tables`: datasets that the database holds itself.
 */
export interface VerifyReport {
  passed: boolean;
  n_audit_entries: number;
  n_blobs: number;
  n_small_tables: number;
  problems: Problem[];
}

/**
 * What one version did at each point of a `TrafficHistory`: None where nobody counted, or there was nothing to time.
 *
 * Errors are requests that the version could not answer (5xx, and 422), latencies in milliseconds. `arm` is None for a
 * version that is not live any more.
 */
export interface VersionHistory {
  version: string;
  model_ref: string;
  arm: Arm | null;
  n_requests: number;
  requests_per_second: (Float | null)[];
  errors_per_second: (Float | null)[];
  p50_ms: (Float | null)[];
  p95_ms: (Float | null)[];
  p99_ms: (Float | null)[];
}

/** Where am I: the workspace and what is in it. */
export interface WorkspaceStatus {
  location: string;
  actor: string;
  version: string;
  n_runs: number;
  n_datasets: number;
  n_models: number;
  n_endpoints: number;
  n_open_alerts: number;
  last_event_id: number;
  size_bytes: number;
}

/** One row that two versions answered most differently. */
export interface WorstRow {
  request_id: string;
  row: number;
  champion: string;
  other: string;
  difference: Float;
}

/** Every operation: what it takes and what it gives. */
export interface Operations {
  /** What differs between two versions: columns, rows, figures of every column, the first `limit` rows that differ. */
  'datasets.diff_versions': { arguments: DatasetsDiffVersionsArguments; result: DatasetDiff };
  /** Those of the chunks that the workspace does not keep yet, in the order given. */
  'datasets.find_missing_chunks': { arguments: DatasetsFindMissingChunksArguments; result: string[] };
  /** The version with that content, of one dataset or of any; None when there is none. */
  'datasets.find_version_by_digest': { arguments: DatasetsFindVersionByDigestArguments; result: DatasetVersion | null };
  /** What a version consists of and where that lies, as JSON. Raises NotFoundError, DamagedContentError. */
  'datasets.get_manifest': { arguments: DatasetsGetManifestArguments; result: string };
  /** Statistics of every column of a version: computed on first use and kept. */
  'datasets.get_profile': { arguments: DatasetsGetProfileArguments; result: DatasetProfile };
  /** Some rows for display, as JSON values: times in ISO 8601, bytes as Python writes them, missing as null. */
  'datasets.get_rows': { arguments: DatasetsGetRowsArguments; result: TablePage };
  /** The version that a reference names (`flights`, `flights@v3`, `flights@latest`, `flights@2026-11-01`). */
  'datasets.get_version': { arguments: DatasetsGetVersionArguments; result: DatasetVersion };
  /** Every dataset with its newest version, the most recently changed first. */
  'datasets.list_datasets': { arguments: DatasetsListDatasetsArguments; result: DatasetSummary[] };
  /** The versions of one dataset, newest first. */
  'datasets.list_versions': { arguments: DatasetsListVersionsArguments; result: DatasetVersion[] };
  /** Where those chunks lie. Chunks that are not kept are left out. */
  'datasets.locate_chunks': { arguments: DatasetsLocateChunksArguments; result: ChunkPlace[] };
  /** Make a version of content whose blobs are kept: index the new packs, give the manifest the next number. */
  'datasets.record_version': { arguments: DatasetsRecordVersionArguments; result: DatasetVersion };
  /** Forget an alias of the dataset `name`. Raises NotFoundError when there is none. */
  'datasets.remove_alias': { arguments: DatasetsRemoveAliasArguments; result: null };
  /** Point an alias at a version; `flights@approved` then names it. An alias that points elsewhere is moved. */
  'datasets.set_alias': { arguments: DatasetsSetAliasArguments; result: DatasetVersion };
  /** Try everything that the endpoint's signature promises, with a key of its own that is revoked at the end. */
  'gates.check_endpoint': { arguments: GatesCheckEndpointArguments; result: EndpointTest };
  /** Judge a model version by the text of a `gates.toml`, and keep the outcome on the version. */
  'gates.gate': { arguments: GatesGateArguments; result: GateOutcome };
  /** What the gates found on a version, newest first. Raises NotFoundError. */
  'gates.list_gate_outcomes': { arguments: GatesListGateOutcomesArguments; result: GateOutcome[] };
  /** Remove what no version, run, model or endpoint refers to, or say what would be removed (`dry_run`). */
  'governance.collect_garbage': { arguments: GovernanceCollectGarbageArguments; result: CleaningReport };
  /** The graph around `ref` as OpenLineage 2-0-2 events: two for each run, one for each version made without one. */
  'governance.export_openlineage': { arguments: GovernanceExportOpenlineageArguments; result: Record<string, unknown>[] };
  /** The graph of what `ref` came from ("up"), what came from it ("down"), or both, at most `depth` steps away. */
  'governance.get_lineage': { arguments: GovernanceGetLineageArguments; result: LineageRecord };
  /** Count what the workspace has. Cheap: indexes and one file size. */
  'governance.get_status': { arguments: GovernanceGetStatusArguments; result: WorkspaceStatus };
  /** The newest audit entries first, of one subject or all. */
  'governance.list_audit_entries': { arguments: GovernanceListAuditEntriesArguments; result: AuditEntry[] };
  /** Events with an id above `after`, oldest first; the cursor is the last id seen. */
  'governance.list_events': { arguments: GovernanceListEventsArguments; result: Event[] };
  /** Recompute the audit chain and the digest of every blob and chunk; report what is damaged or missing, by name. */
  'governance.verify': { arguments: GovernanceVerifyArguments; result: VerifyReport };
  /** Say that someone has seen it. Raises NotFoundError. */
  'monitoring.acknowledge_alert': { arguments: MonitoringAcknowledgeAlertArguments; result: Alert };
  /** Judge what has been logged so far without waiting for a full window; None when nothing new was logged. */
  'monitoring.close_window': { arguments: MonitoringCloseWindowArguments; result: MonitorWindow | null };
  /** Watch an endpoint, or change how it is watched. */
  'monitoring.create_monitor': { arguments: MonitoringCreateMonitorArguments; result: MonitorInfo };
  /** How far each column moved from one dataset version to another. */
  'monitoring.drift': { arguments: MonitoringDriftArguments; result: DriftReport };
  /** How the challenger of an endpoint does against the champion, since their shares are as they are. */
  'monitoring.get_ab_test': { arguments: MonitoringGetAbTestArguments; result: ABTest };
  /** What is watched for an endpoint: reference, windows newest last, alerts. Raises NotFoundError. */
  'monitoring.get_monitor': { arguments: MonitoringGetMonitorArguments; result: MonitorInfo };
  /** Alerts of one state or all, newest first. */
  'monitoring.list_alerts': { arguments: MonitoringListAlertsArguments; result: Alert[] };
  /** The monitors of all endpoints, by name. */
  'monitoring.list_monitors': { arguments: MonitoringListMonitorsArguments; result: MonitorInfo[] };
  /** Keep what was true of predicted rows: each label has `request_id`, `row` (from 0, may be left out) and `label`. */
  'monitoring.record_feedback': { arguments: MonitoringRecordFeedbackArguments; result: number };
  /** Export the version unless it is already, prove parity on rows of its training data, and keep graph and proof. */
  'registry.ensure_exported': { arguments: RegistryEnsureExportedArguments; result: ModelVersion };
  /** The version that `churn:4`, `churn@champion` or `churn` (champion, else newest) names. */
  'registry.get_model': { arguments: RegistryGetModelArguments; result: ModelVersion };
  /** The versions of one model, newest first. */
  'registry.list_model_versions': { arguments: RegistryListModelVersionsArguments; result: ModelVersion[] };
  /** Every model with its newest version and its champion. */
  'registry.list_models': { arguments: RegistryListModelsArguments; result: RegisteredModel[] };
  /** Move a version to a stage. Raises ConflictError for a move that is not allowed, saying which are. */
  'registry.promote': { arguments: RegistryPromoteArguments; result: ModelVersion };
  /** Make the model that a run kept the next version of `name`; the first version becomes `@champion`. */
  'registry.register': { arguments: RegistryRegisterArguments; result: ModelVersion };
  /** Point `@alias` at a version, away from the one that had it. */
  'registry.set_alias': { arguments: RegistrySetAliasArguments; result: ModelVersion };
  /** Params, metrics, data, environment, code and curves of two or more runs, in the order they are named. */
  'runs.compare_runs': { arguments: RunsCompareRunsArguments; result: RunComparison };
  /** Start a run, inside of the run `parent` when that is given. */
  'runs.create_run': { arguments: RunsCreateRunArguments; result: Run };
  /** How the cell of a run differs from that of another; with `captured`, the definitions that they need as well. */
  'runs.diff_run_code': { arguments: RunsDiffRunCodeArguments; result: CodeDiff };
  /** The digest of what the run's cell left, where that was recorded. */
  'runs.find_outcome': { arguments: RunsFindOutcomeArguments; result: string | null };
  /** End a run as finished, failed or cancelled; `duration_seconds` None means until now. */
  'runs.finish_run': { arguments: RunsFinishRunArguments; result: Run };
  /** The environment of that digest (`run.environment_digest`). */
  'runs.get_environment': { arguments: RunsGetEnvironmentArguments; result: Environment };
  /** What the run's cell needs to run again, with what could not be kept. Raises NotFoundError when it has none. */
  'runs.get_program': { arguments: RunsGetProgramArguments; result: Program };
  /** Who recorded the run's program: replaying it runs their code. */
  'runs.get_program_author': { arguments: RunsGetProgramAuthorArguments; result: string };
  /** The run's program as source to read: imports, values, definitions, the cell, and what is missing as comments. */
  'runs.get_program_source': { arguments: RunsGetProgramSourceArguments; result: string };
  /** The run of an id, of an id's beginning (6 characters or more), or the newest run of a name. */
  'runs.get_run': { arguments: RunsGetRunArguments; result: Run };
  /** The model a run kept (the run by id, its beginning, or name). Raises NotFoundError when it kept none. */
  'runs.get_run_model': { arguments: RunsGetRunModelArguments; result: RunModel };
  /** The curves of some runs: of the metrics named, else of all that have more than one point. */
  'runs.list_metric_curves': { arguments: RunsListMetricCurvesArguments; result: MetricCurve[] };
  /** Every measured point of a run (an id, its beginning, or a name), or of one metric, by name and step. */
  'runs.list_metric_points': { arguments: RunsListMetricPointsArguments; result: MetricPoint[] };
  /** Replays of the run, or of which it is the replay, newest first, with verdicts and differences. */
  'runs.list_replays': { arguments: RunsListReplaysArguments; result: ReplayReport[] };
  /** The names of the params, metrics and tags that runs have: what a list can show and be sorted by. */
  'runs.list_run_columns': { arguments: RunsListRunColumnsArguments; result: RunColumns };
  /** Runs, newest first; those of one name or status only, and with `top_level` none that started inside of another. */
  'runs.list_runs': { arguments: RunsListRunsArguments; result: Run[] };
  /** Tie a kept blob to the run under a path; the same path again replaces it. */
  'runs.record_artifact': { arguments: RunsRecordArtifactArguments; result: Artifact };
  /** Tie a dataset version (`flights@v3`) to the run as what it read through `variable`. */
  'runs.record_input': { arguments: RunsRecordInputArguments; result: null };
  /** Append measured numbers to a running run, all in one transaction. NaN and infinities are kept. */
  'runs.record_metrics': { arguments: RunsRecordMetricsArguments; result: null };
  /** Tie a kept model to the run. Who wrote it is whoever calls; a registered model cannot be replaced. */
  'runs.record_model': { arguments: RunsRecordModelArguments; result: RunModel };
  /** Add params to a running run. They never change: the same value again is fine, another is a ConflictError. */
  'runs.record_params': { arguments: RunsRecordParamsArguments; result: null };
  /** Tie a program, and the blob of what its cell left, to the run; the blobs must be there. */
  'runs.record_program': { arguments: RunsRecordProgramArguments; result: null };
  /** Keep the report of a replay with the original run, and with the replay's own. */
  'runs.record_replay': { arguments: RunsRecordReplayArguments; result: null };
  /** Set tags, also on runs that ended; the last value of a name counts. */
  'runs.record_tags': { arguments: RunsRecordTagsArguments; result: null };
  /** Let a run that ended go on: what is recorded stays, what is logged comes behind it. */
  'runs.resume_run': { arguments: RunsResumeRunArguments; result: Run };
  /** A page of runs as light rows, and how many there are: for lists of thousands. */
  'runs.search_runs': { arguments: RunsSearchRunsArguments; result: RunPage };
  /** Replace what the endpoint allows. Raises NotFoundError, InvalidInputError naming the setting. */
  'serving.change_endpoint': { arguments: ServingChangeEndpointArguments; result: EndpointInfo };
  /** Replace a key's expiry and limits; what is left out is unlimited from now on. Raises NotFoundError, InvalidInputError. */
  'serving.change_key': { arguments: ServingChangeKeyArguments; result: ApiKey };
  /** Make an API key for a client of the endpoint. The key is in the answer and nowhere else, ever again. */
  'serving.create_key': { arguments: ServingCreateKeyArguments; result: IssuedKey };
  /** Put a model version behind an endpoint (named like the model unless given) and wait until it answers. */
  'serving.deploy': { arguments: ServingDeployArguments; result: DeployOutcome };
  /** One endpoint. Raises NotFoundError with the closest names. */
  'serving.get_endpoint': { arguments: ServingGetEndpointArguments; result: EndpointInfo };
  /** Requests, errors and latencies of one endpoint since its workers started. Raises NotFoundError. */
  'serving.get_endpoint_metrics': { arguments: ServingGetEndpointMetricsArguments; result: EndpointMetrics };
  /** Whether the host runs, where its port is, and what is wrong with it if anything is. */
  'serving.get_host_status': { arguments: ServingGetHostStatusArguments; result: HostStatus };
  /** The endpoint's live versions with their shares and figures, their agreement, and its rollout. Raises NotFoundError. */
  'serving.get_traffic': { arguments: ServingGetTrafficArguments; result: Traffic };
  /** Requests, errors and latencies of the endpoint's versions over the last `seconds` (at most six hours). */
  'serving.get_traffic_history': { arguments: ServingGetTrafficHistoryArguments; result: TrafficHistory };
  /** How many requests of today (UTC) the endpoint and each of its keys let through. Raises NotFoundError. */
  'serving.get_usage': { arguments: ServingGetUsageArguments; result: EndpointUsage };
  /** All endpoints, by name, with their deployments, keys (hashes only) and, while the host runs, their URL. */
  'serving.list_endpoints': { arguments: ServingListEndpointsArguments; result: EndpointInfo[] };
  /** Make the live challenger (or, without one, the shadow) the champion; what was live beside it is retired. */
  'serving.promote': { arguments: ServingPromoteArguments; result: EndpointInfo };
  /** Take a deployment that harms the workers away; when it is the champion, the version before it starts again. */
  'serving.quarantine': { arguments: ServingQuarantineArguments; result: EndpointInfo };
  /** The newest lines of the host's log, all or those with every word of `contains` (whatever their case). */
  'serving.read_host_log': { arguments: ServingReadHostLogArguments; result: HostLog };
  /** Make a key invalid; workers refuse it from then on. Raises NotFoundError. */
  'serving.revoke_key': { arguments: ServingRevokeKeyArguments; result: ApiKey };
  /** Take the challenger (or shadow) away; without one, bring back the version that was the champion before this one. */
  'serving.roll_back': { arguments: ServingRollBackArguments; result: EndpointInfo };
  /** A new key for the same client, scopes and limits; the old one goes on working for `overlap_seconds`, then expires. */
  'serving.rotate_key': { arguments: ServingRotateKeyArguments; result: IssuedKey };
  /** Give the live versions these shares, by version number: {"4": 0.9, "5": 0.1}. They add up to 1. */
  'serving.set_traffic': { arguments: ServingSetTrafficArguments; result: EndpointInfo };
  /** Start the host unless it runs, and wait until its port answers. */
  'serving.start_host': { arguments: ServingStartHostArguments; result: HostStatus };
  /** Drain the workers and stop the host; when it is already gone, stop workers it left behind. */
  'serving.stop_host': { arguments: ServingStopHostArguments; result: HostStatus };
  /** Give the challenger of the running rollout the share of that step (from 0). The host does this as guards hold. */
  'serving.take_rollout_step': { arguments: ServingTakeRolloutStepArguments; result: EndpointInfo };
  /** Take the endpoint away: it answers nobody, its keys are revoked. What it logged is kept. Raises NotFoundError. */
  'serving.undeploy': { arguments: ServingUndeployArguments; result: EndpointInfo };
  /** A suite of a dataset, the newest without a number; None when it has none. */
  'validation.get_suite': { arguments: ValidationGetSuiteArguments; result: SuiteVersion | null };
  /** What the last check of a version found; None when it was never checked. */
  'validation.get_validation': { arguments: ValidationGetValidationArguments; result: ValidationRecord | null };
  /** All suites of a dataset, newest first. */
  'validation.list_suites': { arguments: ValidationListSuitesArguments; result: SuiteVersion[] };
  /** A suite inferred from a version; it is not kept. */
  'validation.propose_suite': { arguments: ValidationProposeSuiteArguments; result: SuiteVersion };
  /** Keep a suite (YAML) for the dataset `name`; every new version is checked by it from now on. */
  'validation.save_suite': { arguments: ValidationSaveSuiteArguments; result: SuiteVersion };
  /** Check a version by a suite of its dataset, the newest without a number, and keep what was found. */
  'validation.validate_version': { arguments: ValidationValidateVersionArguments; result: ValidationRecord };
}
