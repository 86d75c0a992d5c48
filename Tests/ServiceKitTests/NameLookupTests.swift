import ServiceKit
import Testing

struct NameLookupTests {
    @Test func `a name has its addresses, each once, and an unknown one has none`() async {
        #expect(await NameLookup.addresses(of: "localhost").first == "127.0.0.1")
        #expect(await NameLookup.addresses(of: "127.0.0.3") == ["127.0.0.3"])
        #expect(await NameLookup.addresses(of: "no-such-host.invalid").isEmpty)
    }
}
