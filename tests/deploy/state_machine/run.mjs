// Executes state machines: plans on stdin, one JSON a line; what happened on stdout, one JSON a line.
//   plan:   {definition, input, execution, answers: {state: [{result} | {error, cause}, ...]}}
//   report: {status, output, error, cause, calls: [{state, parameters}]}
// A state's answers are given in order, the last again and again; a state without answers is a defect of the plan.
import { createInterface } from "node:readline";
import { StateMachine } from "aws-local-stepfunctions";

class ServiceError extends Error {
  constructor({ error, cause }) {
    super(cause);
    this.name = error;
  }
}

async function execute(plan) {
  const calls = [];
  const handlers = {};
  const pauses = {};
  for (const [name, state] of Object.entries(plan.definition.States)) {
    if (state.Retry) pauses[name] = 1;
    if (state.Type !== "Task") continue;
    const answers = [...(plan.answers[name] ?? [{ error: "NoAnswer", cause: `the plan has no answer for ${name}` }])];
    handlers[name] = (parameters) => {
      calls.push({ state: name, parameters });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer.error) throw new ServiceError(answer);
      return answer.result;
    };
  }
  const machine = new StateMachine(plan.definition, { validationOptions: { checkArn: false } });
  const execution = machine.run(plan.input, {
    overrides: { taskResourceLocalHandlers: handlers, retryIntervalOverrides: pauses },
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
