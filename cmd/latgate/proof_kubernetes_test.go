package main

import (
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// jobSchema is what Kubernetes' API reference says of the members of batch/v1 Job that
// the manifests use: which there are, of what type, which values they may have, and
// which they need. No other member is allowed.
const jobSchema = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object", "additionalProperties": false, "required": ["apiVersion", "kind", "metadata", "spec"],
	"properties": {
		"apiVersion": {"const": "batch/v1"}, "kind": {"const": "Job"}, "metadata": {"$ref": "#/$defs/named"},
		"spec": {
			"type": "object", "additionalProperties": false, "required": ["template"],
			"properties": {
				"completionMode": {"enum": ["NonIndexed", "Indexed"]},
				"completions": {"$ref": "#/$defs/count"}, "parallelism": {"$ref": "#/$defs/count"}, "backoffLimit": {"$ref": "#/$defs/count"},
				"backoffLimitPerIndex": {"$ref": "#/$defs/count"}, "maxFailedIndexes": {"$ref": "#/$defs/count"},
				"activeDeadlineSeconds": {"type": "integer", "minimum": 1}, "ttlSecondsAfterFinished": {"$ref": "#/$defs/count"},
				"podFailurePolicy": {
					"type": "object", "additionalProperties": false, "required": ["rules"],
					"properties": {"rules": {"type": "array", "maxItems": 20, "items": {
						"type": "object", "additionalProperties": false, "required": ["action"],
						"oneOf": [{"required": ["onExitCodes"]}, {"required": ["onPodConditions"]}],
						"properties": {
							"action": {"enum": ["FailJob", "FailIndex", "Ignore", "Count"]},
							"onExitCodes": {
								"type": "object", "additionalProperties": false, "required": ["operator", "values"],
								"properties": {
									"containerName": {"$ref": "#/$defs/label"}, "operator": {"enum": ["In", "NotIn"]},
									"values": {"type": "array", "minItems": 1, "maxItems": 255, "uniqueItems": true, "items": {"type": "integer", "minimum": 1, "maximum": 255}}
								}
							},
							"onPodConditions": {"type": "array", "maxItems": 20, "items": {
								"type": "object", "additionalProperties": false, "required": ["type", "status"],
								"properties": {"type": {"type": "string"}, "status": {"enum": ["True", "False", "Unknown"]}}
							}}
						}
					}}}
				},
				"template": {
					"type": "object", "additionalProperties": false, "required": ["spec"],
					"properties": {"metadata": {"$ref": "#/$defs/labelled"}, "spec": {"$ref": "#/$defs/pod"}}
				}
			},
			"dependentSchemas": {
				"backoffLimitPerIndex": {"required": ["completionMode"], "properties": {"completionMode": {"const": "Indexed"}}},
				"maxFailedIndexes": {"required": ["backoffLimitPerIndex"]},
				"podFailurePolicy": {"properties": {"template": {"properties": {"spec": {"properties": {"restartPolicy": {"const": "Never"}}}}}}}
			}
		}
	},
	"$defs": {
		"count": {"type": "integer", "minimum": 0, "maximum": 2147483647},
		"label": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
		"labels": {"type": "object", "additionalProperties": {"type": "string", "pattern": "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"}},
		"labelled": {"type": "object", "additionalProperties": false, "properties": {"labels": {"$ref": "#/$defs/labels"}}},
		"named": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {"name": {"$ref": "#/$defs/label"}, "labels": {"$ref": "#/$defs/labels"}}},
		"pod": {
			"type": "object", "additionalProperties": false, "required": ["containers", "restartPolicy"],
			"properties": {
				"restartPolicy": {"enum": ["Never", "OnFailure"]}, "automountServiceAccountToken": {"type": "boolean"},
				"securityContext": {
					"type": "object", "additionalProperties": false,
					"properties": {
						"runAsNonRoot": {"type": "boolean"}, "runAsUser": {"$ref": "#/$defs/count"}, "fsGroup": {"$ref": "#/$defs/count"},
						"seccompProfile": {"type": "object", "additionalProperties": false, "required": ["type"], "properties": {"type": {"enum": ["RuntimeDefault", "Unconfined"]}}}
					}
				},
				"topologySpreadConstraints": {"type": "array", "items": {
					"type": "object", "additionalProperties": false, "required": ["maxSkew", "topologyKey", "whenUnsatisfiable"],
					"properties": {
						"maxSkew": {"type": "integer", "minimum": 1}, "topologyKey": {"type": "string"}, "whenUnsatisfiable": {"enum": ["DoNotSchedule", "ScheduleAnyway"]},
						"labelSelector": {"type": "object", "additionalProperties": false, "properties": {"matchLabels": {"$ref": "#/$defs/labels"}}}
					}
				}},
				"initContainers": {"$ref": "#/$defs/containers"}, "containers": {"$ref": "#/$defs/containers"},
				"volumes": {"type": "array", "items": {
					"type": "object", "additionalProperties": false, "required": ["name"], "minProperties": 2, "maxProperties": 2,
					"properties": {
						"name": {"$ref": "#/$defs/label"}, "emptyDir": {"type": "object", "additionalProperties": false, "properties": {"medium": {"enum": ["", "Memory"]}, "sizeLimit": {"$ref": "#/$defs/quantity"}}},
						"persistentVolumeClaim": {"type": "object", "additionalProperties": false, "required": ["claimName"], "properties": {"claimName": {"$ref": "#/$defs/label"}, "readOnly": {"type": "boolean"}}}
					}
				}}
			}
		},
		"quantity": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(m|[kMGTPE]i?)?$"},
		"quantities": {"type": "object", "additionalProperties": {"$ref": "#/$defs/quantity"}, "propertyNames": {"enum": ["cpu", "memory", "ephemeral-storage"]}},
		"strings": {"type": "array", "items": {"type": "string"}},
		"containers": {"type": "array", "minItems": 1, "items": {
			"type": "object", "additionalProperties": false, "required": ["name", "image"],
			"properties": {
				"name": {"$ref": "#/$defs/label"}, "image": {"type": "string", "minLength": 1}, "workingDir": {"type": "string", "pattern": "^/"},
				"command": {"$ref": "#/$defs/strings"}, "args": {"$ref": "#/$defs/strings"},
				"env": {"type": "array", "items": {
					"type": "object", "additionalProperties": false, "required": ["name"], "maxProperties": 2,
					"properties": {
						"name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}, "value": {"type": "string"},
						"valueFrom": {"type": "object", "additionalProperties": false, "properties": {
							"secretKeyRef": {"type": "object", "additionalProperties": false, "required": ["name", "key"], "properties": {"name": {"type": "string"}, "key": {"type": "string"}}}
						}}
					}
				}},
				"resources": {"type": "object", "additionalProperties": false, "properties": {"requests": {"$ref": "#/$defs/quantities"}, "limits": {"$ref": "#/$defs/quantities"}}},
				"securityContext": {
					"type": "object", "additionalProperties": false,
					"properties": {
						"allowPrivilegeEscalation": {"type": "boolean"}, "readOnlyRootFilesystem": {"type": "boolean"},
						"capabilities": {"type": "object", "additionalProperties": false, "properties": {"drop": {"$ref": "#/$defs/strings"}, "add": {"$ref": "#/$defs/strings"}}}
					}
				},
				"volumeMounts": {"type": "array", "items": {
					"type": "object", "additionalProperties": false, "required": ["name", "mountPath"],
					"properties": {"name": {"$ref": "#/$defs/label"}, "mountPath": {"type": "string", "pattern": "^[^:]+$"}, "readOnly": {"type": "boolean"}}
				}}
			}
		}}
	}
}`

// TestKubernetesManifests checks the manifests by a schema, with the placeholders
// replaced that their comments tell of.
func TestKubernetesManifests(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(jobSchema))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("job.json", document))
	schema, err := compiler.Compile("job.json")
	require.NoError(t, err)
	check := func(text string) error {
		var manifest any
		require.NoError(t, yaml.Unmarshal([]byte(text), &manifest))
		return schema.Validate(manifest)
	}
	read := func(name string) string {
		data, err := os.ReadFile("../../examples/ci/kubernetes/" + name)
		require.NoError(t, err)
		return strings.ReplaceAll(strings.ReplaceAll(string(data), "RUNID", "1234567890"), "REGISTRY", "registry.example")
	}
	require.NoError(t, check(read("gate.yaml")))
	measure := read("measure.yaml")
	require.NoError(t, check(measure))
	for old, new := range map[string]string{
		"completions: 24":             "completions: many",
		"completionMode: Indexed":     "completionMode: NonIndexed",
		"  backoffLimitPerIndex: 1\n": "",
		"parallelism: 6":              "paralellism: 6",
		"action: FailIndex":           "action: Fail",
		"operator: In":                "operator: Is",
		"values: [2, 10, 11, 16]":     "values: [0, 10]",
		`status: "True"`:              "status: true",
		"restartPolicy: Never":        "restartPolicy: OnFailure",
		"- maxSkew: 1":                "- maxSkew: 0",
		"DoNotSchedule":               "Never",
		"name: latgate-measure-":      "name: Latgate_",
		`cpu: "2"`:                    "cpu: 2 cores",
		`value: "24"`:                 "value: 24",
		"claimName: latgate-shards":   "claim: latgate-shards",
		"apiVersion: batch/v1":        "apiVersion: batch/v1beta1",
	} {
		require.Contains(t, measure, old)
		assert.Error(t, check(strings.Replace(measure, old, new, 1)), new)
	}
}
