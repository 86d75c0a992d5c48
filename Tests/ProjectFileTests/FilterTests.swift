@testable import ProjectFile
import Testing

struct FilterTests {
    @Test(arguments: [
        ("main", "main", true), ("main", "main2", false), ("*", "feature/x", false), ("**", "feature/x", true),
        ("release/*", "release/1", true), ("release/*", "release/1/2", false), ("release/**", "release/1/2", true),
        ("v?.1", "v2.1", true), ("v?.1", "v/.1", false), ("v[0-9].x", "v7.x", true), ("v[!].x", "v7.x", false),
        ("src/**", "src/a/b.py", true), ("src/**", "srca/b", false), ("src/", "src/a/b.py", true),
        ("src/", "src", false), ("**/x.py", "x.py", true), ("**/x.py", "a/b/x.py", true), ("**/x.py", "ax.py", false),
        ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "a/xb", false), ("*.py", "a.py", true),
        ("*.py", "a/b.py", false), ("**.py", "a/b.py", true), ("a\\*b", "a*b", true), ("a\\*b", "axb", false),
        ("[", "[", true), ("été/*", "été/à", true), ("", "", true), ("", "a", false),
    ])
    func `a pattern means what GitHub's means`(pattern: String, text: String, matches: Bool) {
        #expect(Glob(pattern).matches(text) == matches)
    }

    @Test func `the last pattern that matches decides`() {
        let filter = PathFilter(["src/**", "!src/docs/**", "src/docs/api.md"])
        #expect(filter.admits("src/a.py") && filter.admits("src/docs/api.md"))
        #expect(!filter.admits("src/docs/b.md") && !filter.admits("other"))
    }

    @Test func `only exclusions let everything else in, and no pattern everything`() {
        #expect(BranchFilter(["!dependabot/**"]).admits("main"))
        #expect(!BranchFilter(["!dependabot/**"]).admits("dependabot/x/y"))
        #expect(BranchFilter.any.admits("x") && PathFilter.any.admits("y"))
    }

    @Test func `a hostile pattern costs no more than its length`() {
        let pattern = Glob(String(repeating: "*a", count: 200) + "b")
        let start = ContinuousClock.now
        #expect(!pattern.matches(String(repeating: "a", count: 2_000)))
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
