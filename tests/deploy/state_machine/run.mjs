// Executes state machines: plans on stdin, one JSON a line; what happened on stdout, one JSON a line.
//   plan:   {definition, input, execution, answers: {state: [{result} | {error, cause}, ...]}}
//   report: {status, output, error, cause, calls: [{state, parameters}]}
// A state's answers are given in order, the last again and again; a state without answers is a defect of the plan. Answers
// under "STATE DATASET" are those of a task about one data set. Waits and the pauses before a retry take no time.
import { createInterface } from "node:readline";
import { StateMachine } from "aws-local-stepfunctions";

class ServiceError extends Error {
  constructor({ error, cause }) {
    super(cause);
    this.name = error;
  }
}

const machines = new Map();

// One for each definition, since its validation takes longer than an execution.
function machineOf(definition) {
  const text = JSON.stringify(definition);
  if (!machines.has(text)) machines.set(text, new StateMachine(definition, { validationOptions: { checkArn: false } }));
  return machines.get(text);
}

function* statesOf(definition) {
  for (const [name, state] of Object.entries(definition.States)) {
    yield [name, state];
    if (state.Type === "Map") yield* statesOf(state.ItemProcessor);
  }
}

async function execute(plan) {
  const calls = [];
  const handlers = {};
  const pauses = {};
  const waits = {};
  const remaining = {};
  const answerOf = (name, parameters) => {
    const own = `${name} ${parameters.DataSetId}`;
    const key = own in plan.answers ? own : name;
    const missing = [{ error: "NoAnswer", cause: `the plan has no answer for ${name}` }];
    const answers = (remaining[key] ??= [...(plan.answers[key] ?? missing)]);
    return answers.length > 1 ? answers.shift() : answers[0];
  };
  for (const [name, state] of statesOf(plan.definition)) {
    if (state.Retry) pauses[name] = 1;
    if (state.Type === "Wait") waits[name] = 0;
    if (state.Type !== "Task") continue;
    handlers[name] = (parameters) => {
      calls.push({ state: name, parameters });
      const answer = answerOf(name, parameters);
      if (answer.error) throw new ServiceError(answer);
      return answer.result;
    };
  }
  const machine = machineOf(plan.definition);
  const execution = machine.run(plan.input, {
    overrides: { taskResourceLocalHandlers: handlers, retryIntervalOverrides: pauses, waitTimeOverrides: waits },
    context: { Execution: { Id: `arn:aws:states:::execution:${plan.execution}`, Name: plan.execution, Input: plan.input } },
  });
  try {
    return { status: "SUCCEEDED", output: await execution.result, calls };
  } catch (error) {
    return { status: "FAILED", error: error.name, cause: error.message, calls };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await execute(JSON.parse(line))) + "\n");
}
