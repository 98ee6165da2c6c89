//go:build wasip1

// header-append adds the response headers named in the plugin configuration, a JSON object such as
// {"first-header": "some-value"}.
//
// Written directly against the Proxy-Wasm ABI 0.2.1, without an SDK. The section names in the
// comments are those of the ABI specification.
package main

const (
	accepted       = 1
	refused        = 0
	actionContinue = 0 // proxy_action_t
)

// One VM serves several plugin configurations, so both maps are keyed by context id.
var (
	pluginHeaders = map[uint32][]header{} // by plugin context
	streamParents = map[uint32]uint32{}   // from stream context to plugin context
)

// Never called: a reactor is started by _initialize, which Go's runtime exports ("Integration").
func main() {}

// The host looks for this name only, it never calls the function ("Integration").
//
//go:wasmexport proxy_abi_version_0_2_1
func abiVersion() {}

//go:wasmexport proxy_on_context_create
func onContextCreate(contextID, parentContextID uint32) {
	if parentContextID != 0 {
		streamParents[contextID] = parentContextID
	}
}

//go:wasmexport proxy_on_delete
func onDelete(contextID uint32) {
	delete(streamParents, contextID)
	delete(pluginHeaders, contextID)
}

//go:wasmexport proxy_on_vm_start
func onVMStart(_, _ uint32) uint32 {
	return accepted
}

// Returning 0 makes the host refuse the plugin ("Configuration").
//
//go:wasmexport proxy_on_configure
func onConfigure(contextID, configurationSize uint32) uint32 {
	delete(pluginHeaders, contextID)
	document, err := readPluginConfiguration(configurationSize)
	if err != nil {
		return refuse(err)
	}
	headers, err := parseConfiguration(document)
	if err != nil {
		return refuse(err)
	}
	pluginHeaders[contextID] = headers
	return accepted
}

func refuse(reason error) uint32 {
	logError("header-append: " + reason.Error())
	return refused
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(contextID, _, _ uint32) uint32 {
	for _, header := range pluginHeaders[streamParents[contextID]] {
		replaceResponseHeader(header.name, header.value)
	}
	return actionContinue
}
