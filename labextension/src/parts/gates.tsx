import React from 'react';
import type { CheckStatus, GateSummary } from '../api/types';
import { useOperation } from '../live/hooks';
import { Part } from './page';
import { Answered } from './states';
import type { Condition } from './status';
import { Status } from './status';
import { useSurroundings } from './surroundings';
import { Table } from './tables';
import { Age } from './times';

const CONDITIONS: Record<CheckStatus, Condition> = {
  passed: 'good',
  failed: 'bad',
  skipped: 'waiting'
};

/** Whether a version passed its gates, in a word. */
export function GateVerdict(props: { gate: GateSummary }): React.ReactElement {
  const { gate } = props;
  const { trans } = useSurroundings();
  const word = gate.passed
    ? trans.__('passed')
    : trans.__('failed %1 of %2', gate.n_failed, gate.n_checks);
  return <Status condition={gate.passed ? 'good' : 'bad'} word={word} showWord />;
}

/** What the newest judgement of a version by its gates found; how to ask for one where there is none. */
export function GatesPart(props: { reference: string }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation('gates.list_gate_outcomes', { ref: props.reference, limit: 1 });
  const words: Record<CheckStatus, string> = {
    passed: trans.__('passed'),
    failed: trans.__('failed'),
    skipped: trans.__('skipped')
  };
  return (
    <Part title={trans.__('Gates')}>
      <Answered answer={answer}>
        {outcomes =>
          outcomes.length === 0 ? (
            <p className="jp-snapml-quiet">
              {trans.__(
                'Not judged yet: snapml gate %1 --file gates.toml in a terminal.',
                props.reference
              )}
            </p>
          ) : (
            <>
              <p className="jp-snapml-quiet">
                {trans.__('Judged by %1, ', outcomes[0].checked_by)}
                <Age at={outcomes[0].checked_at} />
              </p>
              <Table
                label={trans.__('Gates of %1', props.reference)}
                columns={[
                  { label: trans.__('Check') },
                  { label: trans.__('Result') },
                  { label: trans.__('Found'), isText: true }
                ]}
                rows={outcomes[0].checks.map(check => [
                  check.name,
                  <Status
                    key="status"
                    condition={CONDITIONS[check.status]}
                    word={words[check.status]}
                    showWord
                  />,
                  check.message
                ])}
              />
            </>
          )
        }
      </Answered>
    </Part>
  );
}
