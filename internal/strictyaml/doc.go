// Package strictyaml reads files of settings that people write by hand, and complains of
// everything that is wrong with them at once, each with the file and the line.
//
//	r := strictyaml.Reader{Name: "latgate.yaml"}
//	document, err := r.Document(data)
//	if err != nil || document == nil {
//		return err
//	}
//	r.Mapping(document, "", strictyaml.Keys{
//		"store": func(field string, n *yaml.Node) {
//			if store = n.Value; store == "" {
//				r.Wrong(n, "%s: want a directory", field)
//			}
//		},
//	})
//	return r.Err()
package strictyaml
