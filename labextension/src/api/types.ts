// Written by `python -m snapml_jupyter.cli.typescript`. Do not edit: change the Python record and write it again.
/* eslint-disable */

/** A float on the wire: JSON has no NaN and no infinities. */
export type Float = number | 'nan' | 'inf' | '-inf';

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

/** A client's key, without the secret: only `key_hash` (SHA-256 of the key, hex) is ever stored. */
export interface ApiKey {
  key_id: string;
  endpoint: string;
  client: string;
  key_hash: string;
  created_at: string;
  revoked_at: string | null;
}

/** A file that the run left behind; `path` is relative to the run. */
export interface Artifact {
  path: string;
  digest: string;
  size_bytes: number;
  media_type: string;
}

/** One column of a version. `type` is the Arrow type, `dtype` what pandas called it. */
export interface Column {
  name: string;
  type: string;
  dtype: string;
  nullable: boolean;
  is_index: boolean;
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

/** The profile of a version, one entry per column. `sampled_rows` when it was taken of that many rows only. */
export interface DatasetProfile {
  dataset_ref: string;
  n_rows: number;
  columns: ColumnProfile[];
  sampled_rows: number | null;
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
 * `manifest_digest` is the blob that says where the content lies.
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

/** What a deploy gave. `api_key` is shown here once and never again; None when the endpoint existed. */
export interface DeployOutcome {
  endpoint: EndpointInfo;
  deployment: Deployment;
  api_key: string | null;
}

/** One model version behind an endpoint. `share_fraction` is its part of the traffic. */
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
}

/** `starting` until a worker has answered the smoke request, then `live`; `retired` when replaced. */
export type DeploymentStatus = 'failed' | 'live' | 'retired' | 'starting';

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

/** An endpoint as kept; the live object users hold (`Endpoint`) wraps it. */
export interface EndpointInfo {
  name: string;
  model_name: string;
  created_at: string;
  created_by: string;
  deployments: Deployment[];
  keys: ApiKey[];
  url: string | null;
}

/** Traffic counts since the workers started, summed over them. Latencies in milliseconds. */
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

export type GovernanceGetStatusArguments = Record<string, never>;

export interface GovernanceListEventsArguments {
  after?: number;
  limit?: number;
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

/** One measured number; `step` counts from 0 within its name. */
export interface MetricPoint {
  name: string;
  value: Float;
  step: number;
  logged_at: string;
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

export interface MonitoringGetMonitorArguments {
  endpoint: string;
}

export interface MonitoringListAlertsArguments {
  state?: AlertState | null;
}

export type MonitoringListMonitorsArguments = Record<string, never>;

/**
 * Proof that the exported graph answers like the model, on `n_rows` real rows.
 *
 * `max_difference` is the largest absolute difference of probabilities (or predictions, relative above 1).
 */
export interface Parity {
  n_rows: number;
  max_difference: Float;
  label_agreement: Float;
  tolerance: Float;
  passed: boolean;
  source_ref: string | null;
  worst_rows: number[];
}

/** A model name in a list, with its newest version and the champion if one is set. */
export interface RegisteredModel {
  name: string;
  n_versions: number;
  latest: ModelVersion;
  champion: ModelVersion | null;
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

/** One run as it is kept. Metrics hold the latest value of each name; points have their own call. */
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

export interface RunsGetEnvironmentArguments {
  digest: string;
}

export interface RunsGetRunArguments {
  ref: string;
}

export interface RunsGetRunModelArguments {
  run_id: string;
}

export interface RunsListMetricPointsArguments {
  run_id: string;
  name?: string | null;
}

export interface RunsListRunsArguments {
  limit?: number;
  offset?: number;
  name?: string | null;
  status?: RunStatus | null;
}

export interface ServingCreateKeyArguments {
  endpoint: string;
  client: string;
}

export interface ServingDeployArguments {
  model_ref: string;
  endpoint?: string | null;
}

export interface ServingGetEndpointArguments {
  name: string;
}

export interface ServingGetEndpointMetricsArguments {
  name: string;
}

export type ServingGetHostStatusArguments = Record<string, never>;

export type ServingListEndpointsArguments = Record<string, never>;

export interface ServingRevokeKeyArguments {
  key_id: string;
}

export type ServingStartHostArguments = Record<string, never>;

export type ServingStopHostArguments = Record<string, never>;

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

/** Where a version stands in governance. */
export type Stage = 'archived' | 'none' | 'production' | 'staging';

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

/** Every operation: what it takes and what it gives. */
export interface Operations {
  'datasets.get_profile': { arguments: DatasetsGetProfileArguments; result: DatasetProfile };
  'datasets.get_rows': { arguments: DatasetsGetRowsArguments; result: TablePage };
  'datasets.get_version': { arguments: DatasetsGetVersionArguments; result: DatasetVersion };
  'datasets.list_datasets': { arguments: DatasetsListDatasetsArguments; result: DatasetSummary[] };
  'datasets.list_versions': { arguments: DatasetsListVersionsArguments; result: DatasetVersion[] };
  'governance.get_status': { arguments: GovernanceGetStatusArguments; result: WorkspaceStatus };
  'governance.list_events': { arguments: GovernanceListEventsArguments; result: Event[] };
  'monitoring.acknowledge_alert': { arguments: MonitoringAcknowledgeAlertArguments; result: Alert };
  'monitoring.close_window': { arguments: MonitoringCloseWindowArguments; result: MonitorWindow | null };
  'monitoring.get_monitor': { arguments: MonitoringGetMonitorArguments; result: MonitorInfo };
  'monitoring.list_alerts': { arguments: MonitoringListAlertsArguments; result: Alert[] };
  'monitoring.list_monitors': { arguments: MonitoringListMonitorsArguments; result: MonitorInfo[] };
  'registry.get_model': { arguments: RegistryGetModelArguments; result: ModelVersion };
  'registry.list_model_versions': { arguments: RegistryListModelVersionsArguments; result: ModelVersion[] };
  'registry.list_models': { arguments: RegistryListModelsArguments; result: RegisteredModel[] };
  'registry.promote': { arguments: RegistryPromoteArguments; result: ModelVersion };
  'registry.register': { arguments: RegistryRegisterArguments; result: ModelVersion };
  'registry.set_alias': { arguments: RegistrySetAliasArguments; result: ModelVersion };
  'runs.get_environment': { arguments: RunsGetEnvironmentArguments; result: Environment };
  'runs.get_run': { arguments: RunsGetRunArguments; result: Run };
  'runs.get_run_model': { arguments: RunsGetRunModelArguments; result: RunModel };
  'runs.list_metric_points': { arguments: RunsListMetricPointsArguments; result: MetricPoint[] };
  'runs.list_runs': { arguments: RunsListRunsArguments; result: Run[] };
  'serving.create_key': { arguments: ServingCreateKeyArguments; result: IssuedKey };
  'serving.deploy': { arguments: ServingDeployArguments; result: DeployOutcome };
  'serving.get_endpoint': { arguments: ServingGetEndpointArguments; result: EndpointInfo };
  'serving.get_endpoint_metrics': { arguments: ServingGetEndpointMetricsArguments; result: EndpointMetrics };
  'serving.get_host_status': { arguments: ServingGetHostStatusArguments; result: HostStatus };
  'serving.list_endpoints': { arguments: ServingListEndpointsArguments; result: EndpointInfo[] };
  'serving.revoke_key': { arguments: ServingRevokeKeyArguments; result: ApiKey };
  'serving.start_host': { arguments: ServingStartHostArguments; result: HostStatus };
  'serving.stop_host': { arguments: ServingStopHostArguments; result: HostStatus };
  'serving.undeploy': { arguments: ServingUndeployArguments; result: EndpointInfo };
}
