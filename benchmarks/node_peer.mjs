// Runs workloads with the npm package aws-local-stepfunctions. Each line on stdin is a JSON object
// {definition, input, executions}; each answer on stdout is {seconds, outputs} or {error}.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The package asks for Node 22; this is all of it that an older one lacks.
Promise.withResolvers ??= () => {
  const settle = {};
  settle.promise = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }));
  return settle;
};

const { StateMachine } = createRequire(`${process.cwd()}/`)("aws-local-stepfunctions");

async function run({ definition, input, executions }) {
  const increment = async ({ n }) => ({ n: n + 1 });
  const taskResourceLocalHandlers = Object.fromEntries(Object.keys(definition.States).map((name) => [name, increment]));
  const machine = new StateMachine(definition, { validationOptions: { checkArn: false } });
  const inputs = Array.from({ length: executions }, () => structuredClone(input));
  const started = performance.now();
  const outputs = await Promise.all(
    inputs.map((each) => machine.run(each, { overrides: { taskResourceLocalHandlers } }).result),
  );
  return { seconds: (performance.now() - started) / 1000, outputs };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await run(JSON.parse(line)).catch((error) => ({ error: String(error?.message ?? error) }));
  console.log(JSON.stringify(answer));
}
