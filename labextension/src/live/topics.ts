import type { OperationName } from '../api/client';

/** Beginnings of the event kinds that alter the answer of a reading operation. */
const TOPICS: Partial<Record<OperationName, readonly string[]>> = {
  'governance.get_status': ['run.started', 'dataset.', 'model.version', 'endpoint.', 'alert.'],
  'runs.search_runs': ['run.'],
  'runs.list_run_columns': ['run.updated', 'run.finished'],
  'runs.compare_runs': ['run.updated', 'run.finished'],
  'runs.get_run': ['run.', 'model.version'],
  'runs.list_replays': ['run.replayed'],
  'runs.get_program': ['run.updated'],
  'runs.get_program_source': ['run.updated'],
  'runs.list_metric_curves': ['run.updated', 'run.finished'],
  'datasets.list_datasets': ['dataset.'],
  'datasets.list_versions': ['dataset.'],
  'datasets.get_version': ['dataset.'],
  'validation.get_suite': ['suite.'],
  'validation.get_validation': ['dataset.validated'],
  'governance.get_lineage': ['dataset.', 'run.', 'model.version', 'deployment.'],
  'registry.list_models': ['model.'],
  'registry.list_model_versions': ['model.'],
  'registry.get_model': ['model.'],
  'gates.list_gate_outcomes': ['model.gated'],
  'serving.list_endpoints': ['endpoint.', 'deployment.', 'rollout.', 'key.', 'host.'],
  'serving.get_endpoint': ['endpoint.', 'deployment.', 'rollout.', 'key.', 'host.'],
  'serving.get_endpoint_metrics': ['deployment.', 'host.', 'monitor.window'],
  'serving.get_usage': ['key.', 'endpoint.'],
  'serving.get_traffic_history': ['deployment.', 'rollout.', 'host.'],
  'serving.get_traffic': ['endpoint.', 'deployment.', 'rollout.', 'host.'],
  'serving.get_host_status': ['host.', 'endpoint.', 'deployment.'],
  'monitoring.list_monitors': ['monitor.', 'alert.', 'endpoint.'],
  'monitoring.get_monitor': ['monitor.', 'alert.'],
  'monitoring.list_alerts': ['alert.']
};

/** What to listen for; an answer that never changes (a profile, rows, an environment) has none. */
export function topicsOf(name: OperationName): readonly string[] {
  return TOPICS[name] ?? [];
}
