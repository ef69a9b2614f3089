import { useEffect, useMemo, useRef, useState } from 'react';
import type { Run, RunCard } from '../api/types';
import { toNumber } from '../format';
import { useOperation } from '../live/hooks';

/** A live card that said nothing for so long may have lost its kernel or this page: then the server is asked. */
const SILENT_SECONDS = 8;

/**
 * The card as it is now.
 *
 * The kernel sends it anew as the run goes on. A notebook that was closed meanwhile keeps the last one that it was
 * sent, so one that still says "running" is brought up to date from the recorded run.
 */
export function useCurrentCard(saved: RunCard): RunCard {
  const isRunning = saved.status === 'running';
  const receivedAt = useMemo(() => (saved ? Date.now() : 0), [saved]);
  const first = useRef(saved);
  const now = useNow(isRunning);
  const seconds = toNumber(saved.seconds) ?? 0;
  const since = Math.max(0, (now - receivedAt) / 1000);
  const isRestored = saved === first.current && seconds > SILENT_SECONDS / 2;
  // Long runs are shown less often.
  const isSilent = isRunning && (isRestored || since > Math.max(SILENT_SECONDS, seconds / 20));
  const { data: run } = useOperation('runs.get_run', { ref: saved.run_id }, { enabled: isSilent });
  if (!isRunning) {
    return saved;
  }
  return isSilent && run !== undefined
    ? broughtUpToDate(saved, run, now)
    : { ...saved, seconds: seconds + since };
}

/** What is known from the recorded run, over what the card said last. */
export function broughtUpToDate(saved: RunCard, run: Run, now: number): RunCard {
  const curves = new Map(saved.metrics.map(metric => [metric.name, metric.curve]));
  return {
    ...saved,
    name: run.name,
    status: run.status,
    seconds: run.duration_seconds ?? Math.max(0, (now - Date.parse(run.started_at)) / 1000),
    metrics: Object.entries(run.metrics).map(([name, value]) => ({
      name,
      value,
      curve: curves.get(name) ?? []
    })),
    error: run.error && `${run.error.type}: ${run.error.message}`,
    model_ref: run.model_refs[run.model_refs.length - 1] ?? null,
    has_model: run.has_model,
    can_be_replayed: run.has_program
  };
}

/** The time, told about once a second while that matters. */
function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) {
      return;
    }
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [isTicking]);
  return now;
}
