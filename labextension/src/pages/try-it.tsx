import React, { useCallback, useState } from 'react';
import type { IEndpointAnswer } from '../api/client';
import type { EndpointInfo, SignatureColumn } from '../api/types';
import { metric, scalar } from '../format';
import { useAction } from '../live/action';
import { Part } from '../parts/page';
import { Problem } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import type { Value } from './deployments';
import { currentDeployment, exampleRow, typedValue } from './deployments';

/** A form made from the signature; sends one row through Jupyter to the endpoint, as any client would. */
export function TryIt(props: { endpoint: EndpointInfo }): React.ReactElement {
  const { endpoint } = props;
  const { snapml, trans } = useSurroundings();
  const signature = currentDeployment(endpoint)?.signature;
  const [texts, setTexts] = useState<Record<string, string>>(() =>
    Object.fromEntries(
      Object.entries(exampleRow(signature)).map(([name, value]) => [
        name,
        value === null ? '' : String(value)
      ])
    )
  );
  const [key, setKey] = useState('');
  const [answer, setAnswer] = useState<IEndpointAnswer | null>(null);
  const columns = signature?.inputs ?? [];
  const send = useAction(
    useCallback(
      async (row: Record<string, Value>) => {
        setAnswer(await snapml.client.predict(endpoint.name, key, [row]));
      },
      [snapml, endpoint.name, key]
    )
  );
  if (signature === undefined) {
    return <p className="jp-snapml-quiet">{trans.__('Nothing is deployed here yet.')}</p>;
  }
  return (
    <form
      className="jp-snapml-form"
      onSubmit={event => {
        event.preventDefault();
        const row = columns.map(c => [c.name, typedValue(c, texts[c.name] ?? '')]);
        void send.run(Object.fromEntries(row) as Record<string, Value>);
      }}
    >
      <label className="jp-snapml-field jp-snapml-field-wide">
        <span>{trans.__('API key')}</span>
        <input
          type="password"
          className="jp-mod-styled"
          autoComplete="off"
          value={key}
          placeholder={trans.__('paste it here; it is sent and not kept')}
          onChange={event => setKey(event.target.value)}
        />
      </label>
      <div className="jp-snapml-fields">
        {columns.map(column => (
          <Field
            key={column.name}
            column={column}
            text={texts[column.name] ?? ''}
            onChange={text => setTexts(old => ({ ...old, [column.name]: text }))}
          />
        ))}
      </div>
      <div>
        <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={send.isBusy}>
          {trans.__('Predict')}
        </button>
      </div>
      <div aria-live="polite">
        {send.error !== undefined && <Problem error={send.error} />}
        {answer !== null && <Answer answer={answer} />}
      </div>
    </form>
  );
}

function Field(props: {
  column: SignatureColumn;
  text: string;
  onChange: (text: string) => void;
}): React.ReactElement {
  const { column, text, onChange } = props;
  const { trans } = useSurroundings();
  const hint = column.nullable
    ? trans.__('%1, optional', column.kind)
    : trans.__('%1', column.kind);
  return (
    <label className="jp-snapml-field">
      <span>
        <code>{column.name}</code> <small>{hint}</small>
      </span>
      {column.kind === 'boolean' ? (
        <select
          className="jp-mod-styled"
          value={text}
          onChange={event => onChange(event.target.value)}
        >
          {(column.nullable ? ['', 'true', 'false'] : ['true', 'false']).map(choice => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          className="jp-mod-styled"
          type="text"
          inputMode={column.kind === 'string' || column.kind === 'datetime' ? 'text' : 'decimal'}
          value={text}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </label>
  );
}

function Answer(props: { answer: IEndpointAnswer }): React.ReactElement {
  const { trans } = useSurroundings();
  const { status, body, milliseconds } = props.answer;
  const content = parse(body);
  const first = predictionOf(content);
  const isGood = status >= 200 && status < 300;
  return (
    <Part
      title={trans.__('Answer')}
      note={trans.__('HTTP %1 in %2 ms, through Jupyter', status, Math.round(milliseconds))}
    >
      {!isGood && <Problem error={new Error(messageOf(content) ?? body)} />}
      {isGood && first !== undefined && (
        <>
          <p className="jp-snapml-prediction">{scalar(first.label)}</p>
          {first.probabilities &&
            Object.entries(first.probabilities).map(([label, p]) => (
              <div key={label} className="jp-snapml-probability">
                <span>{label}</span>
                <div
                  role="meter"
                  aria-label={trans.__('Probability of %1', label)}
                  aria-valuemin={0}
                  aria-valuemax={1}
                  aria-valuenow={p}
                >
                  <div style={{ width: `${100 * p}%` }} />
                </div>
                <span>{metric(p)}</span>
              </div>
            ))}
        </>
      )}
      <details>
        <summary>{trans.__('The whole answer')}</summary>
        <pre className="jp-snapml-traceback">
          {content === undefined ? body : JSON.stringify(content, null, 2)}
        </pre>
      </details>
    </Part>
  );
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function messageOf(content: unknown): string | undefined {
  const found = content as { message?: unknown; error?: unknown } | undefined;
  return [found?.message, found?.error].find(text => typeof text === 'string') as
    string | undefined;
}

/** The first prediction: `{"predictions": [{"label", "probabilities"}]}`, or a bare value. */
function predictionOf(
  content: unknown
): { label: unknown; probabilities?: Record<string, number> } | undefined {
  const list = (content as { predictions?: unknown } | undefined)?.predictions;
  if (!Array.isArray(list) || list.length === 0) {
    return undefined;
  }
  const first: unknown = list[0];
  return typeof first === 'object' && first !== null && 'label' in first
    ? (first as { label: unknown; probabilities?: Record<string, number> })
    : { label: first };
}
