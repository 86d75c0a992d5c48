import Messages
import Testing

struct SecretReferenceTests {
    @Test(
        arguments: [
            (["secret": "A"], "A"), (["secret": "A", "b": 1], nil), (["secret": 1], nil), ("A", nil),
            ([["secret": "A"]], nil),
            (#"{"secret":"A"}"#, nil),
        ] as [(JSONValue, String?)])
    func `a reference is an object of one member`(value: JSONValue, name: String?) {
        #expect(SecretReference.name(in: value) == name)
    }

    @Test(
        arguments: [
            (#"{"secret":"A"}"#, "A"), (#"{ "s\u0065cret" : "A" }"#, "A"),
            // The first of two equal names stands.
            (#"{"secret":"A","secret":"/b"}"#, "A"), (#" {"secret":"A"}"#, nil), (#"{"secret":"A"} b"#, nil),
            (#"[{"secret":"A"}]"#, nil), (#"{"secret":{"secret":"A"}}"#, nil), ("", nil), ("{", nil), ("secret", nil),
        ] as [(String, String?)])
    func `in a text it may be written in any way`(text: String, name: String?) {
        #expect(SecretReference.name(inText: text) == name)
    }

    @Test func `it is found at any depth of what is handed on`() {
        #expect(SecretReference.first(in: ["a": [1, ["b": ["secret": "A"]]]]) == "A")
        #expect(SecretReference.first(in: ["secret": ["secret": "A"]]) == "A")
        #expect(SecretReference.first(in: ["a": #"{"secret":"A"}"#, "secret": "B"]) == nil)
    }
}
