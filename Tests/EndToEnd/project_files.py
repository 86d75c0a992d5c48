"""A corpus of project files: what everybody refuses, and what only the reader can know."""

JOBS = "    jobs: { j: { steps: [ { run: x } ] } }\n"
HEAD = "martlet: 1\n"

EVERYTHING = """\
martlet: 1
project: churn
description: everything that there is
secrets: [HOOK, KEY]
model:
  name: "${{ project }}-model"
  description: a model
  champion: { select: stage=b, order: latest }
  stages:
    tag: level
    states:
      a: { max: many, set_by: [user, 'user:ann', 'group:x', 'pipeline:p'], from: [none] }
      b: { max: 1, replaced_becomes: a }
variables: { word: x, number: 7, flag: true, list: [1, 2], other: "${{ vars.word }}" }
variable_groups: [shared]
environments:
  qa: { enabled: "${{ vars.flag }}" }
  prod: { description: real, url: 'https://example.org', approvals: { required: 2, from: ['user:a', 'group:b'], requester_may_approve: true, timeout: 1h30m, on_timeout: reject } }
backends: { far: { kind: http, wait: poll, every: 30s, url: 'https://example.org', token: "${{ secrets.KEY }}" } }
targets:
  api: { kind: process, command: serve, health: /, score: /s, instance: shared }
  box: { kind: container, instance: per-version, resources: { cpu: 1 } }
notify:
  - { when: run.failed, use: slack, channel: "${{ secrets.HOOK }}", pipelines: [p] }
  - { when: [run.*, com.acme.data.arrived], use: pull-request, text: t, link: l }
pipelines:
  p:
    name: The first
    description: of all
    on:
      push: { branches: [main, '!x'], paths: { include: [src/], exclude: ['*.md'] } }
      pull_request: { branches: main }
      tag: { match: ['v*'] }
      comment: { in: any, match: [/go] }
      manual: { parameters: { m: { type: model-version, required: true, label: l, description: d } } }
      pipeline: [ { name: q, branches: [main], conclusion: [success, not_promoted] } ]
      model: [ { registered: true, name: x }, { stage: { to: b, from: [a, none] } }, { tag: { ready: 'yes', any: } }, { alias: [champion] } ]
      event: { type: com.acme.data, where: { data.kind: [full, 1], data.ok: true } }
      schedule: [ '@daily', { cron: '0 9 * * MON-FRI', timezone: Europe/Prague, catch_up: all } ]
      all:
        of:
          data: { event: { type: com.acme.data, where: { ok: true } }, by: "${{ event.data.commit }}" }
          tests: { pipeline: q }
          night: { schedule: '@daily' }
          moved: { push: { branches: [main] } }
          staged: { model: { stage: b } }
        by: "${{ git.sha }}"
        within: 6h
    parameters: { c: { options: [a, b], default: a }, n: { type: float, default: 0.5 } }
    environment: qa
    concurrency: { group: "g-${{ model.name }}", max: 2, on_conflict: cancel-older }
    defaults: { backend: far }
    env: { A: 1 }
    jobs:
      one:
        name: One
        description: job
        matrix: { x: [1, 2], y: [a], include: [ { x: 3, z: q } ], exclude: [ { x: 1, y: a } ], max_parallel: 2 }
        retry: { max: 3, backoff: 10s }
        timeout: 2h
        env: { B: "${{ matrix.x }}" }
        with: { k: v }
        outputs: { o: "${{ steps.s.out }}" }
        steps:
          - { id: s, name: first, run: 'echo "${{ job.k }}"', env: { C: c }, timeout: 5m, continue_on_error: true }
          - { uses: acme/do, with: { any: [thing] }, if: always() }
          - { uses: train/run, with: { command: x, parameters: { a: 1 } } }
      two:
        needs: [one]
        if: ${{ success() && params.c == 'a' }}
        environment: prod
        recheck: { champion_unchanged: "${{ needs.one.o }}" }
        retry: 2
        steps:
          - uses: evaluate/compare
            with: { challenger: latest, metric: m, better: "${{ vars.word }}", tie: lose }
  q:
    on: [push, manual]
    concurrency: q
    jobs: { j: { steps: [ { run: x } ] } }
"""

AZURE = """\
martlet: 1
pipelines:
  p:
    trigger: { branches: { include: [main] }, paths: [src] }
    pr: [main]
    jobs:
      a: { steps: [ { script: make, condition: always() } ] }
      b:
        dependsOn: a
        condition: failure()
        strategy: { matrix: { x: [1] }, maxParallel: 1 }
        steps: [ { task: acme/do, inputs: { y: 1 } } ]
  r: { trigger: none, pr: none, jobs: { j: { steps: [ { run: x } ] } } }
"""

ONE_PIPELINE = "name: nightly\nmartlet: 1\non: manual\njobs: { j: { steps: [ { run: x } ] } }\n"

GOOD = {"everything": EVERYTHING, "azure": AZURE, "empty keys": HEAD + "environments:\npipelines:\n  p:\n    on:\n    env:\n" + JOBS}


def pipeline(text):
    return HEAD + "pipelines:\n  p:\n    " + text + "\n"


def step(text):
    return pipeline("jobs: { j: { steps: [ " + text + " ] } }")


def top(text):
    return HEAD + text + "\npipelines:\n  p:\n" + JOBS


# Refused by the schema as well.
BAD = {
    "no version": "pipelines:\n  p:\n" + JOBS,
    "another version": "martlet: 2\npipelines:\n  p:\n" + JOBS,
    "unknown key at the top": top("projct: x"),
    "a project that is a list": top("project: [x]"),
    "a name with a slash": top("project: a/b"),
    "a name with an expression": top('project: "${{ vars.x }}"'),
    "unknown preset": top("model: { stages: { preset: mlflw } }"),
    "states of a preset": top("model: { stages: { preset: mlflow, states: { a: {} } } }"),
    "champion without select": top("model: { champion: { order: latest } }"),
    "unknown setter": top("model: { stages: { states: { a: { set_by: everybody } } } }"),
    "max of a stage": top("model: { stages: { states: { a: { max: 2 } } } }"),
    "negative approvals": top("environments: { e: { approvals: { required: -1 } } }"),
    "a time without a unit": top("environments: { e: { approvals: { timeout: 30 } } }"),
    "approver of no kind": top("environments: { e: { approvals: { from: ann } } }"),
    "back end without kind": top("backends: { b: { url: x } }"),
    "unknown back end": top("backends: { b: { kind: azurml } }"),
    "process without command": top("targets: { t: { kind: process } }"),
    "unknown target key": top("targets: { t: { kind: container, comand: x } }"),
    "notify without channel": top("notify: [ { when: run.failed, use: slack } ]"),
    "notify that is a map": top("notify: { when: run.failed, use: slack }"),
    "unknown event": top("notify: [ { when: run.faild, use: file, channel: x } ]"),
    "secrets that are a map": top("secrets: { A: x }"),
    "variable of no name": top("variables: { 1a: x }"),
    "no jobs": pipeline("on: push"),
    "jobs that are a list": pipeline("jobs: [ { steps: [ { run: x } ] } ]"),
    "job of no name": pipeline("jobs: { a.b: { steps: [ { run: x } ] } }"),
    "job without steps": pipeline("jobs: { j: {} }"),
    "empty steps": pipeline("jobs: { j: { steps: [] } }"),
    "unknown job key": pipeline("jobs: { j: { step: [ { run: x } ], steps: [ { run: x } ] } }"),
    "needs twice": pipeline("jobs: { a: { steps: [ { run: x } ] }, j: { needs: a, dependsOn: a, steps: [ { run: x } ] } }"),
    "too many retries": pipeline("jobs: { j: { retry: 101, steps: [ { run: x } ] } }"),
    "matrix of a text": pipeline("jobs: { j: { matrix: { x: a }, steps: [ { run: x } ] } }"),
    "step with both": step("{ run: x, uses: acme/do }"),
    "step with neither": step("{ id: s }"),
    "step with nothing to run": step("{ run: }"),
    "step that is a text": step("make"),
    "step of no name": step("{ id: a.b, run: x }"),
    "verb without a vendor": step("{ uses: deploy }"),
    "unknown key of a verb": step("{ uses: registry/tag, with: { verson: 1 } }"),
    "unknown word of a verb": step("{ uses: evaluate/compare, with: { challenger: x, metric: m, better: more } }"),
    "list for a word": step("{ uses: evaluate/compare, with: { challenger: x, metric: m, better: [lower] } }"),
    "with that is a list": step("{ uses: acme/do, with: [x] }"),
    "flag that is a text": step("{ run: x, continue_on_error: 'true' }"),
    "unknown trigger": pipeline("on: { psh: {} }\n" + JOBS),
    "unknown key of push": pipeline("on: { push: { branchs: [main] } }\n" + JOBS),
    "empty pattern": pipeline("on: { push: { branches: [''] } }\n" + JOBS),
    "pattern with an expression": pipeline("on: { push: { branches: ['${{ vars.x }}'] } }\n" + JOBS),
    "comment without words": pipeline("on: { comment: {} }\n" + JOBS),
    "pipeline without a name": pipeline("on: { pipeline: { branches: [main] } }\n" + JOBS),
    "unknown conclusion": pipeline("on: { pipeline: { name: p, conclusion: good } }\n" + JOBS),
    "event without a type": pipeline("on: { event: { where: { a: 1 } } }\n" + JOBS),
    "field compared with a map": pipeline("on: { event: { type: a.b.c, where: { a: { b: 1 } } } }\n" + JOBS),
    "schedule without cron": pipeline("on: { schedule: { timezone: UTC } }\n" + JOBS),
    "several without names": pipeline("on: { all: { of: [push, tag] } }\n" + JOBS),
    "several without of": pipeline("on: { all: { within: 1h } }\n" + JOBS),
    "one of several": pipeline("on: { all: { of: { a: { push: {} } } } }\n" + JOBS),
    "two under one name": pipeline("on: { all: { of: { a: { push: {}, tag: {} }, b: { tag: {} } } } }\n" + JOBS),
    "a person among several": pipeline("on: { all: { of: { a: { manual: {} }, b: { push: {} } } } }\n" + JOBS),
    "several of a kind under one name": pipeline("on: { all: { of: { a: { push: [{}] }, b: { tag: {} } } } }\n" + JOBS),
    "a name that no expression can say": pipeline("on: { all: { of: { a.b: { push: {} }, b: { tag: {} } } } }\n" + JOBS),
    "a wait without a unit": pipeline("on: { all: { of: { a: { push: {} }, b: { tag: {} } }, within: 30 } }\n" + JOBS),
    "unknown catch_up": pipeline("on: { schedule: { cron: '@daily', catch_up: some } }\n" + JOBS),
    "unknown parameter type": pipeline("parameters: { a: { type: text } }\n" + JOBS),
    "choice without options": pipeline("parameters: { a: { type: choice } }\n" + JOBS),
    "options without choice": pipeline("parameters: { a: { type: number, options: [1] } }\n" + JOBS),
    "concurrency without group": pipeline("concurrency: { max: 1 }\n" + JOBS),
    "unknown on_conflict": pipeline("concurrency: { group: g, on_conflict: wait }\n" + JOBS),
}

# What a schema cannot say: names that lead nowhere, circles, expressions, what is needed from elsewhere.
ONLY_READER = {
    "no pipeline": HEAD + "pipelines: {}\n",
    "unknown environment": pipeline("environment: prod\n" + JOBS),
    "unknown job": pipeline("jobs: { j: { needs: k, steps: [ { run: x } ] } }"),
    "jobs in a circle": pipeline("jobs: { a: { needs: b, steps: [ { run: x } ] }, b: { needs: a, steps: [ { run: x } ] } }"),
    "pipelines in a circle": HEAD + "pipelines:\n  p:\n    on: { pipeline: q }\n" + JOBS + "  q:\n    on: { pipeline: p }\n" + JOBS,
    "unknown pipeline": pipeline("on: { pipeline: q }\n" + JOBS),
    "unknown stage": top("model: { stages: { preset: trunk, rules: { stagd: {} } } }"),
    "unknown target": step("{ uses: deploy/model, with: { target: t, version: 1 } }"),
    "unknown back end": step("{ uses: train/run, with: { backend: b } }"),
    "unknown secret": top("secrets: [A]\ntargets: { t: { kind: endpoint, token: '${{ secrets.B }}' } }"),
    "secret in a text": top("targets: { t: { kind: endpoint, url: 'https://${{ secrets.B }}' } }"),
    "unknown variable": step("{ run: '${{ vars.x }}' }"),
    "broken expression": step("{ run: '${{ params. }}' }"),
    "what a verb needs": step("{ uses: registry/tag, with: { version: 1 } }"),
    "schedule that never fires": pipeline("on: { schedule: { cron: '0 0 30 2 *' } }\n" + JOBS),
    "a wait of no time": pipeline("on: { all: { of: { a: { push: {} }, b: { tag: {} } }, within: 0s } }\n" + JOBS),
    "a step before there is a run": pipeline("on: { all: { of: { a: { push: {} }, b: { tag: {} } }, by: '${{ steps.s.x }}' } }\n" + JOBS),
    "unknown time zone": pipeline("on: { schedule: { cron: '@daily', timezone: Europe/Prag } }\n" + JOBS),
    "the same step twice": step("{ id: a, run: x }, { id: a, run: x }"),
    "a parameter's default": pipeline("parameters: { a: { type: number, default: x } }\n" + JOBS),
    "unknown verb of ours": step("{ uses: registry/regster }"),
}
