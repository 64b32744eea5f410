// Gensdk writes the SDK of one language from a Pulumi schema, byte for byte as `pulumi package gen-sdk` does.
//
// It exists because gen-sdk asks a language host for the code, and the hosts for Python, Node.js and Go cannot be
// built at this version everywhere; the code generators inside them can. Being pinned by go.mod, it also writes the
// same files whichever Pulumi a developer has installed.
//
//	gensdk --language python --schema schema.json --out sdk/python
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/blang/semver"
	gogen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func main() {
	language := flag.String("language", "", "python, nodejs or go")
	schemaFile := flag.String("schema", "", "the package's schema as JSON")
	out := flag.String("out", "", "the folder to write; whatever is in it is removed")
	flag.Parse()
	if *language == "" || *schemaFile == "" || *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*language, *schemaFile, *out); err != nil {
		fmt.Fprintf(os.Stderr, "gensdk: %v\n", err)
		os.Exit(1)
	}
}

func run(language, schemaFile, out string) error {
	pkg, err := load(schemaFile)
	if err != nil {
		return err
	}
	files, err := generate(language, pkg)
	if err != nil {
		return err
	}
	return replaceFolder(out, files)
}

func load(schemaFile string) (*schema.Package, error) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		return nil, err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("%s is not a Pulumi schema: %w", schemaFile, err)
	}
	pkg, diags, err := schema.BindSpec(spec, noOtherPackages{}, schema.ValidationOptions{})
	if err != nil {
		return nil, err
	}
	if diags.HasErrors() {
		return nil, diags
	}
	return pkg, nil
}

// generate names the tool as the language hosts do: the name is part of each file's header.
func generate(language string, pkg *schema.Package) (map[string][]byte, error) {
	tool := "pulumi-language-" + language
	switch language {
	case "python":
		return python.GeneratePackage(tool, pkg, nil, noOtherPackages{})
	case "nodejs":
		return nodejs.GeneratePackage(tool, pkg, nil, nil, false, noOtherPackages{})
	case "go":
		return gogen.GeneratePackage(tool, pkg, nil)
	}
	return nil, fmt.Errorf("no generator for %q; choose python, nodejs or go", language)
}

// replaceFolder empties the folder first, so that a type that left the schema leaves the SDK too.
func replaceFolder(folder string, files map[string][]byte) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// noOtherPackages is the loader of a schema that refers to no types but its own: being asked for another package is
// a mistake in the schema.
type noOtherPackages struct{}

var _ schema.ReferenceLoader = noOtherPackages{}

func (noOtherPackages) LoadPackage(pkg string, _ *semver.Version) (*schema.Package, error) {
	return nil, refuse(pkg)
}

func (noOtherPackages) LoadPackageV2(_ context.Context, pkg *schema.PackageDescriptor) (*schema.Package, error) {
	return nil, refuse(pkg.Name)
}

func (noOtherPackages) LoadPackageReference(pkg string, _ *semver.Version) (schema.PackageReference, error) {
	return nil, refuse(pkg)
}

func (noOtherPackages) LoadPackageReferenceV2(
	_ context.Context, pkg *schema.PackageDescriptor,
) (schema.PackageReference, error) {
	return nil, refuse(pkg.Name)
}

func refuse(pkg string) error {
	return fmt.Errorf("the schema refers to package %q, and only types of its own are supported", pkg)
}
