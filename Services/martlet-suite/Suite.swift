import ArgumentParser
import Console
import Deployer
import Evaluator
import EventBus
import Martlet
import Notifier
import RegistryService
import TrainerProxy
import TriggerService

/// All programs in one, for the image: what is linked into each of the others is there once (docs/decisions/0017). The name
/// that it is called by says which of them it is; under any other it is the CLI.
@main
enum Suite {
    static func main() async {
        let path = CommandLine.arguments.first ?? ""
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        switch name {
        case "event-bus": await EventBusCommand.main()
        case "trigger-service": await TriggerServiceCommand.main()
        case "trainer-proxy": await TrainerProxyCommand.main()
        case "evaluator": await EvaluatorCommand.main()
        case "registry-service": await RegistryCommand.main()
        case "deployer": await DeployerCommand.main()
        case "notifier": await NotifierCommand.main()
        case "console": await ConsoleCommand.main()
        default: await MartletMain.main()
        }
    }
}
