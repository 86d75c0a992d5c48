@testable import ProjectFile
import Testing

struct FilterTests {
    static let filters: [(String, String, Bool)] = [
        ("main", "main", true), ("main", "main2", false), ("*", "feature/x", false), ("**", "feature/x", true),
        ("release/*", "release/1", true), ("release/*", "release/1/2", false), ("release/**", "release/1/2", true),
        ("v[0-9].x", "v7.x", true), ("v[!].x", "v7.x", false),
        ("v[0-9]+.[0-9]+.[0-9]+", "v1.2.3", true), ("v[0-9]+.[0-9]+.[0-9]+", "v10.20.30", true),
        ("v[0-9]+.[0-9]+.[0-9]+", "v1.2", false), ("v[0-9]+.[0-9]+.[0-9]+", "v1.2.x", false),
        ("v[12].[0-9]+.[0-9]+", "v1.10.1", true), ("v[12].[0-9]+.[0-9]+", "v3.0.0", false),
        ("*.jsx?", "page.js", true), ("*.jsx?", "page.jsx", true), ("*.jsx?", "page.jsxx", false),
        ("go+d/*", "goood/x", true), ("go+d/*", "gd/x", false), ("[ab]?c", "c", true), ("[ab]?c", "bc", true),
        ("[ab]?c", "abc", false), ("c+?", "", true), ("c+?", "cc", true), ("a**+", "a/b", true), ("+1?", "+", true),
        ("c\\+\\+/**", "c++/a", true), ("c++/**", "c++/a", false), ("v1\\?", "v1?", true), ("v1\\?", "v", false),
        ("src/**", "src/a/b.py", true), ("src/**", "srca/b", false), ("src/", "src/a/b.py", true),
        ("src/", "src", false), ("**/x.py", "x.py", true), ("**/x.py", "a/b/x.py", true), ("**/x.py", "ax.py", false),
        ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "a/xb", false), ("*.py", "a.py", true),
        ("*.py", "a/b.py", false), ("**.py", "a/b.py", true), ("a\\*b", "a*b", true), ("a\\*b", "axb", false),
        ("[", "[", true), ("été/*", "été/à", true), ("", "", true), ("", "a", false),
    ]

    @Test(arguments: filters)
    func `a pattern means what GitHub's means`(pattern: String, text: String, matches: Bool) {
        #expect(Glob.filter(pattern).matches(text) == matches)
    }

    @Test(arguments: [
        ("v?.1", "v2.1", true), ("v?.1", "v/.1", false), ("v?.1", "v.1", false), ("envs/c++.yml", "envs/c++.yml", true),
        ("envs/*.yml", "envs/a.yml", true), ("com.acme.*", "com.acme.data", true),
    ])
    func `a pattern of files or types of events means what a shell's means`(
        pattern: String, text: String, matches: Bool
    ) {
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

    @Test func `a name means itself, whatever it is made of`() {
        #expect(BranchFilter(["port-c++", "why?"]).admits("port-c++") && BranchFilter(["why?"]).admits("why?"))
        #expect(!BranchFilter(["!port-c++"]).admits("port-c++"))
    }

    @Test func `a hostile pattern costs no more than its length`() {
        let pattern = Glob.filter(String(repeating: "*a", count: 100) + String(repeating: "a?", count: 100) + "b")
        let start = ContinuousClock.now
        #expect(!pattern.matches(String(repeating: "a", count: 2_000)))
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
