import React, { useCallback, useEffect, useState } from 'react';
import type {
  DatasetVersion,
  ExpectationResult,
  SuiteVersion,
  ValidationRecord
} from '../api/types';
import { count, scalar } from '../format';
import { useAction } from '../live/action';
import { useOperation } from '../live/hooks';
import { Part } from '../parts/page';
import { Answered, Problem } from '../parts/states';
import { Status } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { Age } from '../parts/times';
import { CommandIDs } from '../tokens';

const SHOWN_EXAMPLES = 5;

/** How this version was judged, and the expectations by which every new version is. */
export function ValidationTab(props: { version: DatasetVersion }): React.ReactElement {
  const { version } = props;
  const suite = useOperation('validation.get_suite', { name: version.name });
  return (
    <Answered answer={suite}>
      {found => (
        <>
          {found !== null && <Report version={version} suite={found} />}
          <Expectations key={found?.number ?? 0} version={version} suite={found} />
        </>
      )}
    </Answered>
  );
}

function Report(props: { version: DatasetVersion; suite: SuiteVersion }): React.ReactElement {
  const { version, suite } = props;
  const { snapml, trans } = useSurroundings();
  const answer = useOperation('validation.get_validation', { ref: version.ref });
  const check = useAction(
    useCallback(
      () => snapml.client.call('validation.validate_version', { ref: version.ref }),
      [snapml, version.ref]
    )
  );
  const isOld = answer.data ? answer.data.suite_number !== suite.number : true;
  return (
    <Part title={trans.__('Report')}>
      <Answered answer={answer}>
        {record =>
          record === null ? (
            <p className="jp-snapml-quiet">
              {trans.__('%1 was not checked yet by these expectations.', version.ref)}
            </p>
          ) : (
            <Findings version={version} record={record} />
          )
        }
      </Answered>
      {check.error !== undefined && <Problem error={check.error} />}
      {isOld && answer.data !== undefined && (
        <button
          type="button"
          className="jp-mod-styled"
          disabled={check.isBusy}
          onClick={() => void check.run()}
        >
          {answer.data === null
            ? trans.__('Check now')
            : trans.__('Check by version %1 of the expectations', suite.number)}
        </button>
      )}
    </Part>
  );
}

function Findings(props: {
  version: DatasetVersion;
  record: ValidationRecord;
}): React.ReactElement {
  const { record, version } = props;
  const { trans, commands } = useSurroundings();
  const nFailed = record.results.filter(result => !result.passed).length;
  // What failed stands first.
  const results = [...record.results].sort((a, b) => Number(a.passed) - Number(b.passed));
  return (
    <>
      <p>
        <Status
          condition={record.passed ? 'good' : 'alert'}
          word={
            record.passed
              ? trans.__('Meets all %1 expectations', record.results.length)
              : trans.__('Fails %1 of %2 expectations', nFailed, record.results.length)
          }
          showWord
        />{' '}
        <span className="jp-snapml-quiet">
          {trans.__(
            'version %1 of them · %2 of %3 rows fail',
            record.suite_number,
            count(record.n_failing_rows),
            count(record.n_rows)
          )}
        </span>{' '}
        <Age at={record.checked_at} />
      </p>
      <Table
        label={trans.__('Expectations and what was found')}
        columns={[
          { label: trans.__('Column') },
          { label: trans.__('Expectation') },
          { label: trans.__('Found'), isText: true },
          { label: trans.__('Rows failing'), isNumber: true },
          { label: trans.__('For example') }
        ]}
        rows={results.map(result => [
          <span key="column">
            <Status
              condition={result.passed ? 'good' : 'bad'}
              word={result.passed ? trans.__('passed') : trans.__('failed')}
            />{' '}
            {result.column === null ? trans.__('the table') : <code>{result.column}</code>}
          </span>,
          result.expectation,
          result.message,
          result.n_failing > 0 ? count(result.n_failing) : '',
          <Examples key="examples" result={result} />
        ])}
      />
      {record.n_failing_rows > 0 && (
        <button
          type="button"
          className="jp-snapml-link"
          onClick={() =>
            void commands.execute(CommandIDs.insertCell, {
              code: `report = snap.validate("${version.ref}")\nreport.failing_rows()`
            })
          }
        >
          {trans.__('Failing rows as a DataFrame: insert as cell')}
        </button>
      )}
    </>
  );
}

function Examples(props: { result: ExpectationResult }): React.ReactElement {
  const { trans } = useSurroundings();
  const examples = (props.result.examples ?? []).slice(0, SHOWN_EXAMPLES);
  return (
    <>
      {examples.map(([row, value], i) => (
        <span key={row} title={trans.__('row %1', row)}>
          {i > 0 && ', '}
          <code>{scalar(value)}</code>
        </span>
      ))}
    </>
  );
}

/** The expectations as text to edit. Nothing is kept before Save. */
function Expectations(props: {
  version: DatasetVersion;
  suite: SuiteVersion | null;
}): React.ReactElement {
  const { version, suite } = props;
  const { snapml, trans } = useSurroundings();
  const [text, setText] = useState(suite?.content ?? '');
  const [proposedFrom, setProposedFrom] = useState<string | null>(null);
  useEffect(() => setText(suite?.content ?? ''), [suite?.content]);
  const propose = useAction(
    useCallback(async () => {
      const proposal = await snapml.client.call('validation.propose_suite', { ref: version.ref });
      setText(proposal.content);
      setProposedFrom(proposal.proposed_from);
    }, [snapml, version.ref])
  );
  const save = useAction(
    useCallback(
      async (content: string, from: string | null) => {
        const { client } = snapml;
        await client.call('validation.save_suite', {
          name: version.name,
          content,
          proposed_from: from
        });
        await client.call('validation.validate_version', { ref: version.ref });
      },
      [snapml, version.name, version.ref]
    )
  );
  const isChanged = text.trim() !== '' && text !== (suite?.content ?? '');
  const isBusy = propose.isBusy || save.isBusy;
  const title =
    suite === null ? trans.__('Expectations') : trans.__('Expectations, version %1', suite.number);
  return (
    <Part title={title} note={suite?.created_by && trans.__('by %1', suite.created_by)}>
      {suite === null && text === '' && (
        <p className="jp-snapml-quiet">
          {trans.__(
            '%1 has none yet. Propose them from this version, edit them, save: every new version is then checked, and one that fails is marked, never thrown away.',
            version.name
          )}
        </p>
      )}
      {(suite !== null || text !== '') && (
        <textarea
          className="jp-snapml-editor"
          aria-label={trans.__('Expectations of %1 as YAML', version.name)}
          spellCheck={false}
          rows={Math.min(28, Math.max(8, text.split('\n').length + 1))}
          value={text}
          onChange={event => setText(event.target.value)}
        />
      )}
      {propose.error !== undefined && <Problem error={propose.error} />}
      {save.error !== undefined && <Problem error={save.error} />}
      <div className="jp-snapml-buttons">
        {(isChanged || suite !== null) && (
          <button
            type="button"
            className="jp-mod-styled jp-mod-accept"
            disabled={isBusy || !isChanged}
            onClick={() => void save.run(text, proposedFrom)}
          >
            {trans.__('Save and check %1', version.ref)}
          </button>
        )}
        <button
          type="button"
          className="jp-mod-styled"
          disabled={isBusy}
          onClick={() => void propose.run()}
        >
          {suite === null
            ? trans.__('Propose from %1', version.ref)
            : trans.__('Propose anew from %1', version.ref)}
        </button>
        {isChanged && (
          <button
            type="button"
            className="jp-snapml-link"
            onClick={() => setText(suite?.content ?? '')}
          >
            {trans.__('Discard the changes')}
          </button>
        )}
      </div>
    </Part>
  );
}
