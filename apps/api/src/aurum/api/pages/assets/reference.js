// The reference: Swagger UI over /openapi.json, with a filter that looks at more than the names of tags.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const shade = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", shade);
shade();

function says(operation, words) {
  const said = operation.get("operation");
  const parameters = (said.get("parameters") || []).map((one) => `${one.get("name")} ${one.get("description")}`);
  const own = ["summary", "description", "operationId"].map((name) => said.get(name));
  const text = [operation.get("method"), operation.get("path"), ...own, ...parameters].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

const searchEverything = () => ({
  fn: {
    opsFilter(tags, phrase) {
      const words = phrase.toLowerCase().split(/\s+/).filter(Boolean);
      return tags
        .map((tag, name) => {
          const named = words.every((word) => name.toLowerCase().includes(word));
          return named ? tag : tag.update("operations", (all) => all.filter((one) => says(one, words)));
        })
        .filter((tag) => tag.get("operations").size > 0);
    },
  },
});

// What is filled in beforehand shall run and answer with numbers of the sample. All examples at once would not: they are of
// filters and conversions that exclude each other. So only these and what is required are filled in, the rest is told. "series" is
// not required where filters can choose series instead, but one of the two is.
const FILLED = new Set(["series", "start", "end", "tz"]);

function told({ example, ...parameter }) {
  const shown = example ?? parameter.schema?.examples?.[0];
  if (shown === undefined) return parameter;
  if (parameter.required || FILLED.has(parameter.name)) return { ...parameter, example: shown };
  return { ...parameter, description: `${parameter.description} For example \`${shown}\`.` };
}

function prepared(contract) {
  const operations = Object.values(contract.paths).flatMap((path) => Object.values(path));
  for (const operation of operations) if (operation.parameters) operation.parameters = operation.parameters.map(told);
  return contract;
}

// Its filter says it looks at tags only.
new MutationObserver((_, observer) => {
  const filter = document.querySelector(".operation-filter-input");
  if (!filter) return;
  filter.placeholder = "Filter by path, parameter or any other word";
  observer.disconnect();
}).observe(document.querySelector("#reference"), { childList: true, subtree: true });

async function show() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`/openapi.json answers ${answer.status}`);
  SwaggerUIBundle({
    spec: prepared(await answer.json()),
    dom_id: "#reference",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    filter: true,
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    // The key of the box in the bar, unless another one is entered here. It is not shown in the command of the request.
    showMutatedRequest: false,
    requestInterceptor: (request) => {
      const key = document.querySelector("#keys") && sessionStorage.getItem("aurum-api-key");
      const has = Object.keys(request.headers).some((name) => /^(authorization|x-api-key)$/i.test(name));
      if (key && !has && new URL(request.url, location).origin === location.origin) request.headers["X-API-Key"] = key;
      return request;
    },
    validatorUrl: null,
    plugins: [searchEverything],
  });
}

// A link from the search box to another operation; Swagger UI itself looks at the address when it starts only.
addEventListener("hashchange", () => location.reload());

show();
