// The description of the interface as one page of HTML: no script, no inline style, no foreign host.

const escape = (text) => String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
/** Escaped text with `code` set as such. */
const prose = (text) => escape(text ?? '').replace(/`([^`]+)`/g, '<code>$1</code>');
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-');

/** What a reference leads to. */
function resolve(document, value) {
  if (!value?.$ref) {
    return value;
  }
  const path = value.$ref.slice(2).split('/');
  return path.reduce((at, key) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], document);
}

const schemaLink = (reference) => {
  const name = reference.split('/').at(-1);
  return `<a href="#schema-${slug(name)}">${escape(name)}</a>`;
};

/** A schema in a few words: `string`, `list of User`, `User or null`. */
function form(schema) {
  if (schema === true || schema === undefined) {
    return 'anything';
  }
  if (schema.$ref) {
    return schemaLink(schema.$ref);
  }
  const several = schema.anyOf ?? schema.oneOf;
  if (several) {
    return several.map(form).join(' or ');
  }
  if (schema.enum) {
    return schema.enum.map((value) => `<code>${escape(value)}</code>`).join(', ');
  }
  if ('const' in schema) {
    return `<code>${escape(JSON.stringify(schema.const))}</code>`;
  }
  const types = [schema.type ?? 'anything'].flat();
  const named = types.map((type) => {
    if (type === 'array') {
      return `list of ${form(schema.items)}`;
    }
    if (type === 'object' && schema.additionalProperties) {
      return `object of ${form(schema.additionalProperties)}`;
    }
    return type;
  });
  return [named.join(' or '), ...bounds(schema)].join(', ');
}

function bounds(schema) {
  const told = [];
  if (schema.format && !/^u?int\d+$|^double$/.test(schema.format)) {
    told.push(escape(schema.format));
  }
  if (schema.pattern) {
    told.push(`<code>${escape(schema.pattern)}</code>`);
  }
  for (const [least, most, unit] of [
    [schema.minimum, schema.maximum, ''],
    [schema.minLength, schema.maxLength, ' characters'],
    [schema.minItems, schema.maxItems, ' items'],
  ]) {
    if (most !== undefined) {
      told.push(`${(least ?? 0).toLocaleString('en')} to ${most.toLocaleString('en')}${unit}`);
    } else if (least) {
      told.push(`at least ${least}${unit}`);
    }
  }
  return told;
}

function table(heads, rows) {
  if (rows.length === 0) {
    return '';
  }
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');
  return `<div class="wide" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

function members(schema) {
  const rows = Object.entries(schema.properties ?? {}).map(([name, member]) => [
    `<code>${escape(name)}</code>${schema.required?.includes(name) ? '' : ' <small>optional</small>'}`,
    form(member),
    prose(member.description),
  ]);
  return table(['Member', 'Form', 'Meaning'], rows);
}

function schemaSection([name, schema]) {
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? [])];
  const shape = schema.properties ? members(schema) : parts.length > 0 ? '' : `<p>${form(schema)}</p>`;
  const of = parts.map((part) => (part.properties ? members(part) : `<p>${form(part)}</p>`)).join('\n');
  return `<section><h3 id="schema-${slug(name)}">${escape(name)}</h3>\n<p>${prose(schema.description)}</p>${of}${shape}</section>`;
}

function responseRow(document, [status, reference]) {
  const response = resolve(document, reference);
  const content = Object.entries(response.content ?? {}).map(
    ([type, { schema }]) => `${form(schema)} <small>${escape(type)}</small>`,
  );
  const headers = Object.keys(response.headers ?? {}).map((name) => `<code>${escape(name)}</code>`);
  const codes = response['x-codes'];
  const about = codes
    ? codes.map((code) => `<a href="/problems/${escape(code)}"><code>${escape(code)}</code></a>`).join(' ')
    : prose(response.description);
  return [escape(status), about, content.join('<br>'), headers.join(' ')];
}

function operationSection(document, path, method, operation) {
  const parameters = (operation.parameters ?? []).map((reference) => {
    const { name, in: place, description, schema, required } = resolve(document, reference);
    return [
      `<code>${escape(name)}</code> <small>${place}${required ? '' : ', optional'}</small>`,
      form(schema),
      prose(description),
    ];
  });
  const bodies = Object.entries(operation.requestBody?.content ?? {}).map(
    ([type, { schema }]) => `${form(schema)} <small>${escape(type)}</small>`,
  );
  const credentials = operation.security.map((one) => Object.keys(one).map(escape).join(' and ')).join(', ');
  return `<section class="operation">
<h3 id="${operation.operationId}"><span class="method ${method}">${method.toUpperCase()}</span> <code>${escape(path)}</code></h3>
<p><strong>${prose(operation.summary)}.</strong> ${prose(operation.description)}</p>
<p>Credential: ${credentials || 'none'}</p>
${bodies.length > 0 ? `<p>Body: ${bodies.join(' or ')}</p>` : ''}
${parameters.length > 0 ? `<details><summary>Parameters</summary>${table(['Name', 'Form', 'Meaning'], parameters)}</details>` : ''}
<details><summary>Answers</summary>${table(
    ['Status', 'When', 'Body', 'Headers'],
    Object.entries(operation.responses).map((entry) => responseRow(document, entry)),
  )}</details>
</section>`;
}

/** The whole page. */
export function page(document) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = document.tags.map((tag) => ({
    tag,
    of: operations.filter(({ operation }) => operation.tags.includes(tag.name)),
  })).filter(({ of }) => of.length > 0);
  const links = groups.map(({ tag, of }) => `<li><a href="#${slug(tag.name)}">${escape(tag.name)}</a><ul>
${of.map(({ path, method, operation }) => `<li><a href="#${operation.operationId}"><span class="method ${method}">${method.toUpperCase()}</span> ${escape(path)}</a></li>`).join('\n')}
</ul></li>`);
  const sections = groups.map(({ tag, of }) => `<section><h2 id="${slug(tag.name)}">${escape(tag.name)}</h2>
<p>${prose(tag.description)}</p>
${of.map(({ path, method, operation }) => operationSection(document, path, method, operation)).join('\n')}</section>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escape(document.info.title)}: the interface</title>
<link rel="stylesheet" href="/docs.css"></head>
<body><nav aria-label="Operations"><ul>
${links.join('\n')}
<li><a href="#schemas">Schemas</a></li></ul></nav>
<main><h1>${escape(document.info.title)} ${escape(document.info.version)}</h1>
<p>${prose(document.info.description)}</p>
<p>The same as <a href="/openapi.json">OpenAPI ${escape(document.openapi)}</a>.</p>
${sections.join('\n')}
<section><h2 id="schemas">Schemas</h2>
${Object.entries(document.components.schemas).map(schemaSection).join('\n')}</section>
</main></body></html>
`;
}
