// Package gitlab tells a build's verdict to GitLab: [Metrics] for the metrics report of
// a merge request, [CodeQuality] for its code quality report.
//
//	err := gitlab.Metrics(metrics, build)         // artifacts:reports:metrics
//	err = gitlab.CodeQuality(codequality, build)  // artifacts:reports:codequality
package gitlab
