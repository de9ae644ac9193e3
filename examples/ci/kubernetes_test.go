package ci_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// The members of batch/v1 that the manifests use, by their names in Kubernetes' API: a
// member that is misspelt or stands in the wrong place is unknown.
type (
	manifest struct {
		APIVersion string   `yaml:"apiVersion"`
		Kind       string   `yaml:"kind"`
		Metadata   metadata `yaml:"metadata"`
		Spec       struct {
			CompletionMode          string `yaml:"completionMode"`
			Completions             int    `yaml:"completions"`
			Parallelism             int    `yaml:"parallelism"`
			BackoffLimit            *int   `yaml:"backoffLimit"`
			BackoffLimitPerIndex    *int   `yaml:"backoffLimitPerIndex"`
			MaxFailedIndexes        int    `yaml:"maxFailedIndexes"`
			ActiveDeadlineSeconds   int    `yaml:"activeDeadlineSeconds"`
			TTLSecondsAfterFinished int    `yaml:"ttlSecondsAfterFinished"`
			PodFailurePolicy        struct {
				Rules []struct {
					Action      string `yaml:"action"`
					OnExitCodes *struct {
						ContainerName string `yaml:"containerName"`
						Operator      string `yaml:"operator"`
						Values        []int  `yaml:"values"`
					} `yaml:"onExitCodes"`
					OnPodConditions []struct {
						Type   string `yaml:"type"`
						Status string `yaml:"status"`
					} `yaml:"onPodConditions"`
				} `yaml:"rules"`
			} `yaml:"podFailurePolicy"`
			Template struct {
				Metadata metadata `yaml:"metadata"`
				Spec     pod      `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	metadata struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	pod struct {
		RestartPolicy                string `yaml:"restartPolicy"`
		AutomountServiceAccountToken *bool  `yaml:"automountServiceAccountToken"`
		SecurityContext              struct {
			RunAsNonRoot   bool              `yaml:"runAsNonRoot"`
			RunAsUser      int               `yaml:"runAsUser"`
			FSGroup        int               `yaml:"fsGroup"`
			SeccompProfile map[string]string `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		TopologySpreadConstraints []struct {
			MaxSkew           int    `yaml:"maxSkew"`
			TopologyKey       string `yaml:"topologyKey"`
			WhenUnsatisfiable string `yaml:"whenUnsatisfiable"`
			LabelSelector     struct {
				MatchLabels map[string]string `yaml:"matchLabels"`
			} `yaml:"labelSelector"`
		} `yaml:"topologySpreadConstraints"`
		InitContainers []container `yaml:"initContainers"`
		Containers     []container `yaml:"containers"`
		Volumes        []struct {
			Name                  string            `yaml:"name"`
			EmptyDir              map[string]string `yaml:"emptyDir"`
			PersistentVolumeClaim struct {
				ClaimName string `yaml:"claimName"`
			} `yaml:"persistentVolumeClaim"`
		} `yaml:"volumes"`
	}
	container struct {
		Name       string   `yaml:"name"`
		Image      string   `yaml:"image"`
		WorkingDir string   `yaml:"workingDir"`
		Command    []string `yaml:"command"`
		Args       []string `yaml:"args"`
		Env        []struct {
			Name      string `yaml:"name"`
			Value     string `yaml:"value"`
			ValueFrom *struct {
				SecretKeyRef struct {
					Name string `yaml:"name"`
					Key  string `yaml:"key"`
				} `yaml:"secretKeyRef"`
			} `yaml:"valueFrom"`
		} `yaml:"env"`
		Resources struct {
			Requests map[string]string `yaml:"requests"`
			Limits   map[string]string `yaml:"limits"`
		} `yaml:"resources"`
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct {
				Drop []string `yaml:"drop"`
			} `yaml:"capabilities"`
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
)

func readManifest(data []byte) (*manifest, error) {
	m := new(manifest)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	return m, decoder.Decode(m)
}

func TestManifests(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kubernetes/measure.yaml", "kubernetes/gate.yaml"} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		m, err := readManifest(data)
		require.NoError(t, err, name)
		assert.Equal(t, "batch/v1 Job", m.APIVersion+" "+m.Kind)
		p := m.Spec.Template.Spec
		assert.Equal(t, m.Metadata.Labels, m.Spec.Template.Metadata.Labels)
		assert.Equal(t, "Never", p.RestartPolicy)
		assert.True(t, p.SecurityContext.RunAsNonRoot)
		assert.False(t, *p.AutomountServiceAccountToken)
		assert.Positive(t, m.Spec.ActiveDeadlineSeconds)

		volumes := make(map[string]bool)
		for _, v := range p.Volumes {
			volumes[v.Name] = true
		}
		for _, c := range append(p.InitContainers, p.Containers...) {
			assert.Regexp(t, `@sha256:[0-9a-f]{64}$`, c.Image)
			assert.Equal(t, c.Resources.Limits, c.Resources.Requests, "the pod shares no CPU")
			assert.Len(t, c.Resources.Limits, 2)
			assert.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
			assert.True(t, c.SecurityContext.ReadOnlyRootFilesystem)
			assert.Equal(t, []string{"ALL"}, c.SecurityContext.Capabilities.Drop)
			for _, v := range c.VolumeMounts {
				assert.True(t, volumes[v.Name], v.Name)
			}
		}
	}
}

func TestMeasureManifest(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("kubernetes/measure.yaml")
	require.NoError(t, err)
	m, err := readManifest(data)
	require.NoError(t, err)
	s := m.Spec
	assert.Equal(t, "Indexed", s.CompletionMode)
	assert.LessOrEqual(t, s.Parallelism, s.Completions)
	require.Len(t, s.PodFailurePolicy.Rules, 2)
	verdicts := s.PodFailurePolicy.Rules[0]
	assert.Equal(t, "FailIndex", verdicts.Action)
	assert.Equal(t, []int{2, 10, 11, 16}, verdicts.OnExitCodes.Values, "verdicts are not asked for twice")
	assert.Equal(t, s.Template.Spec.Containers[0].Name, verdicts.OnExitCodes.ContainerName)
	assert.Equal(t, s.Template.Metadata.Labels, s.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels)
	for _, v := range s.Template.Spec.Containers[0].Env {
		if v.Name == "LATGATE_SHARDS" {
			assert.Equal(t, "24", v.Value)
		}
		if strings.HasSuffix(v.Name, "_KEY") {
			assert.NotNil(t, v.ValueFrom, "%s is a secret", v.Name)
		}
	}
	gate, err := os.ReadFile("kubernetes/gate.yaml")
	require.NoError(t, err)
	assert.Contains(t, string(gate), "--expect track=24")
	assert.NotContains(t, string(gate), "secretKeyRef", "who judges needs no key")
}

func TestManifestsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"spec:\n  completionsMode: Indexed\n",
		"spec:\n  template:\n    spec:\n      completions: 24\n",
		"spec:\n  template:\n    spec:\n      containers:\n        - name: a\n          resource: {}\n",
		"spec:\n  completions: many\n",
		"kind: Job\nkind: Job\n",
	} {
		_, err := readManifest([]byte(bad))
		require.Error(t, err, bad)
	}
}
