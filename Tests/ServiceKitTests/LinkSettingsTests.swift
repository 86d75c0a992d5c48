import Testing

@testable import ServiceKit

struct LinkSettingsTests {
    @Test(
        arguments: [
            ([:], nil), (["MARTLET_PUBLIC_URL": ""], nil),
            // Where the CLI finds an installation elsewhere is no business of links.
            (["MARTLET_URL": "https://a.example"], nil),
            (["MARTLET_PUBLIC_URL": "http://localhost:8080"], "http://localhost:8080"),
            (["MARTLET_PUBLIC_URL": "https://a.example/martlet/"], "https://a.example/martlet"),
        ] as [([String: String], String?)])
    func `links begin where people reach the console`(environment: [String: String], base: String?) throws {
        #expect(try LinkSettings(environment: environment).publicURL == base)
    }

    @Test(arguments: ["localhost:8080", "ftp://a.example", "https://", "a.example"])
    func `what is no address is refused by its name`(text: String) {
        let problem = #expect(throws: LinkSettingsError.self) {
            try LinkSettings(environment: ["MARTLET_PUBLIC_URL": text])
        }
        #expect(problem?.description.contains("MARTLET_PUBLIC_URL: '\(text)'") == true)
    }
}
