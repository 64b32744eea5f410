package main

// Runs the program of this folder through the Automation API, so that no Go language host is needed. Writes a line of
// JSON per operation to the file that DRIVER_OUTPUT names; DRIVER_SETTINGS holds the stack's settings as JSON.

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

func TestProgram(t *testing.T) {
	out, err := os.Create(os.Getenv("DRIVER_OUTPUT"))
	must(t, err)
	defer out.Close()
	told := func(line map[string]any) { must(t, json.NewEncoder(out).Encode(line)) }

	var settings map[string]string
	must(t, json.Unmarshal([]byte(os.Getenv("DRIVER_SETTINGS")), &settings))
	stack, err := auto.NewStackInlineSource(t.Context(), "prod", "repair", repair)
	must(t, err)
	for name, value := range settings {
		must(t, stack.SetConfig(t.Context(), name, auto.ConfigValue{Value: value}))
	}

	preview, err := stack.Preview(t.Context())
	must(t, err)
	told(map[string]any{"operation": "preview", "changes": preview.ChangeSummary, "output": preview.StdOut})
	up, err := stack.Up(t.Context())
	must(t, err)
	outputs := map[string]any{}
	for name, output := range up.Outputs {
		outputs[name] = output.Value
	}
	told(map[string]any{"operation": "up", "changes": up.Summary.ResourceChanges, "outputs": outputs})
	up, err = stack.Up(t.Context())
	must(t, err)
	told(map[string]any{"operation": "up", "changes": up.Summary.ResourceChanges})
	refresh, err := stack.Refresh(t.Context())
	must(t, err)
	told(map[string]any{"operation": "refresh", "changes": refresh.Summary.ResourceChanges})
	destroy, err := stack.Destroy(t.Context())
	must(t, err)
	told(map[string]any{"operation": "destroy", "changes": destroy.Summary.ResourceChanges})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
