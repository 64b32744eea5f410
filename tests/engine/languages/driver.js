// Runs a compiled program through the Automation API, so that no Node.js language host is needed:
//   node driver.js <compiled program> <stack settings as JSON>
// Prints a line of JSON per operation.
const { LocalWorkspace } = require("@pulumi/pulumi/automation");

async function main() {
    const [file, settings] = [process.argv[2], JSON.parse(process.argv[3])];
    // A program exports a function, or names: then reading it is running it, once for each operation.
    const program = async () => {
        delete require.cache[require.resolve(file)];
        const exported = require(file);
        return typeof exported === "function" ? exported() : exported;
    };
    const stack = await LocalWorkspace.createStack({ stackName: "prod", projectName: "repair", program });
    for (const [name, value] of Object.entries(settings)) {
        await stack.setConfig(name, { value });
    }
    const told = (operation, result) => console.log(JSON.stringify({ operation, ...result }));
    const preview = await stack.preview();
    told("preview", { changes: preview.changeSummary, output: preview.stdout });
    const up = await stack.up();
    const outputs = Object.fromEntries(Object.entries(up.outputs).map(([name, output]) => [name, output.value]));
    told("up", { changes: up.summary.resourceChanges, outputs });
    told("up", { changes: (await stack.up()).summary.resourceChanges });
    told("refresh", { changes: (await stack.refresh()).summary.resourceChanges });
    told("destroy", { changes: (await stack.destroy()).summary.resourceChanges });
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
