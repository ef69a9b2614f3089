import React, { useEffect, useState } from 'react';
import type { Artifact } from '../api/types';
import { bytes, count } from '../format';
import { Problem } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { PREVIEW_COLUMNS, PREVIEW_ROWS, readCsv } from './csv';

/** Largest text or picture fetched for a preview. */
const PREVIEW_BYTES = 2_000_000;
const SHOWN_CHARACTERS = 4000;

/** Files a run left behind, with previews of pictures and text. */
export function Artifacts(props: { artifacts: readonly Artifact[] }): React.ReactElement {
  const { trans } = useSurroundings();
  if (props.artifacts.length === 0) {
    return <p className="jp-snapml-quiet">{trans.__('This run left no files.')}</p>;
  }
  return (
    <ul className="jp-snapml-artifacts">
      {props.artifacts.map(artifact => (
        <li key={artifact.path}>
          <ArtifactCard artifact={artifact} />
        </li>
      ))}
    </ul>
  );
}

function ArtifactCard(props: { artifact: Artifact }): React.ReactElement {
  const { artifact } = props;
  const { snapml, trans } = useSurroundings();
  const [error, setError] = useState<unknown>(undefined);
  const download = async () => {
    try {
      const address = URL.createObjectURL(await snapml.client.blob(artifact.digest));
      const link = document.createElement('a');
      link.href = address;
      link.download = artifact.path.split('/').pop() ?? artifact.path;
      link.click();
      window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <>
      <div className="jp-snapml-artifact-name">
        <code>{artifact.path}</code>
        <span className="jp-snapml-quiet">
          {artifact.media_type}, {bytes(artifact.size_bytes)}
        </span>
        <button type="button" className="jp-snapml-link" onClick={() => void download()}>
          {trans.__('Download')}
        </button>
      </div>
      {error !== undefined && <Problem error={error} />}
      {artifact.size_bytes <= PREVIEW_BYTES && <Preview artifact={artifact} />}
    </>
  );
}

function Preview(props: { artifact: Artifact }): React.ReactElement | null {
  const { artifact } = props;
  const { snapml, trans } = useSurroundings();
  // Scripts in an SVG do not run where it is shown as a picture.
  const isPicture = /^image\/(png|jpeg|gif|webp|svg\+xml)$/.test(artifact.media_type);
  const isText = /^text\/(?!html)|^application\/(json|yaml|x-yaml|toml)$/.test(artifact.media_type);
  const separator = separatorOf(artifact);
  const [picture, setPicture] = useState<string | null>(null);
  const [text, setText] = useState<string | null>(null);

  useEffect(() => {
    if (!isPicture && !isText) {
      return;
    }
    let address: string | null = null;
    let isGone = false;
    snapml.client.blob(artifact.digest).then(
      async blob => {
        if (isGone) {
          return;
        }
        if (isPicture) {
          // The recorded type, not what the server guesses: a blob has no name.
          address = URL.createObjectURL(new Blob([blob], { type: artifact.media_type }));
          setPicture(address);
        } else {
          const content = await blob.text();
          setText(content);
        }
      },
      () => undefined // a preview is a courtesy; downloading says what is wrong
    );
    return () => {
      isGone = true;
      if (address !== null) {
        URL.revokeObjectURL(address);
      }
    };
  }, [snapml, artifact.digest, artifact.media_type, isPicture, isText]);

  if (picture !== null) {
    return <img className="jp-snapml-preview" src={picture} alt={artifact.path} />;
  }
  if (text === null) {
    return null;
  }
  return separator !== undefined ? (
    <Separated text={text} separator={separator} label={artifact.path} />
  ) : (
    <>
      <pre className="jp-snapml-traceback" tabIndex={0} role="group" aria-label={artifact.path}>
        {text.slice(0, SHOWN_CHARACTERS)}
      </pre>
      {text.length > SHOWN_CHARACTERS && (
        <p className="jp-snapml-quiet">
          {trans.__('The first %1 characters.', count(SHOWN_CHARACTERS))}
        </p>
      )}
    </>
  );
}

/** What stands between the values of a file that is a table. */
function separatorOf(artifact: Artifact): string | undefined {
  const isTabbed =
    artifact.media_type === 'text/tab-separated-values' || artifact.path.endsWith('.tsv');
  return isTabbed ? '\t' : artifact.media_type === 'text/csv' ? ',' : undefined;
}

function Separated(props: { text: string; separator: string; label: string }): React.ReactElement {
  const { trans } = useSurroundings();
  const { rows, isCut } = readCsv(props.text, props.separator, PREVIEW_ROWS + 1);
  if (rows.length === 0) {
    return <p className="jp-snapml-quiet">{trans.__('The file is empty.')}</p>;
  }
  const [head, ...body] = rows.map(row => row.slice(0, PREVIEW_COLUMNS));
  return (
    <>
      <Table label={props.label} columns={head.map(label => ({ label }))} rows={body} />
      {(isCut || rows[0].length > PREVIEW_COLUMNS) && (
        <p className="jp-snapml-quiet">
          {trans.__('At most %1 rows and %2 columns are shown.', PREVIEW_ROWS, PREVIEW_COLUMNS)}
        </p>
      )}
    </>
  );
}
