import Testing

/// S4-14: what `pipeline/start` hands on is checked when the file is read, as far as it is known then.
struct StartParameterTests {
    private func file(_ with: String) -> String {
        """
        martlet: 1
        pipelines:
          p:
            on: { manual: { parameters: { alpha: { type: number, required: true }, mode: { type: choice, options: [x, y] } } } }
            parameters: { dry: { type: boolean } }
            jobs: { j: { steps: [ { run: x } ] } }
          q:
            jobs:
              j:
                with: { alpha: many }
                steps:
                  - uses: pipeline/start
                    with:
                      pipeline: p
                      \(with)
        """
    }

    @Test(arguments: [
        "parameters: { alpha: 1 }", "parameters: { alpha: '0.5', mode: y, dry: 'true' }",
        "parameters: { alpha: \"${{ git.message }}\" }", "parameters: { alpha: 1, mode: }",
        "branch: next", "parameters: \"${{ event.data }}\"",
    ])
    func `what fits, and what only a run decides, is taken`(with: String) { #expect(errors(file(with)) == []) }

    @Test(arguments: [
        ("parameters: { alpha: many }", ["15:36: pipeline 'p': parameter 'alpha': 'many' is not a number"]),
        ("parameters: { alpha: 1, mode: z }", ["15:45: pipeline 'p': parameter 'mode': 'z' is none of x, y"]),
        ("parameters: { alpha: [1] }", ["15:36: parameter 'alpha' of 'p' is one value, not a list or a map"]),
        (
            "parameters: { alpha: \"${{ job.alpha }}\" }",
            ["15:36: pipeline 'p': parameter 'alpha': 'many' is not a number"]
        ),
        (
            "parameters: { alhpa: 1 }",
            [
                "15:27: pipeline 'p' needs the parameter 'alpha'",
                "15:29: pipeline 'p' has no parameter 'alhpa'; did you mean 'alpha'?",
            ]
        ),
        ("parameters: none", ["15:27: 'parameters' of 'pipeline/start' is a map of names and values"]),
        ("wait: true", ["12:19: pipeline 'p' needs the parameter 'alpha'"]),
    ])
    func `what cannot fit is an error of the file, with its place`(with: String, expected: [String]) {
        #expect(errors(file(with)) == expected)
    }
}
