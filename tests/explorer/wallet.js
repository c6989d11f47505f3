// A wallet as an extension puts it into a page (EIP-1193), backed by the node of the tests: its accounts are unlocked.
// `settings` stands before this text. What the page asks of it is noted in `walletAsked`.
{
  const asked = (globalThis.walletAsked = []);
  let { chainId } = settings;
  const toNode = async (method, params) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(settings.node, { method: "POST", headers: { "content-type": "application/json" }, body });
    const { error, result } = await response.json();
    if (error) throw error;
    return result;
  };
  const provider = {
    async request({ method, params = [] }) {
      asked.push({ method, params });
      const isLook = method === "eth_call" && !params[0].gas; // no simulation
      if (method in settings.throws && !isLook) throw settings.throws[method];
      if (method in settings.answers) return settings.answers[method];
      if (method === "eth_requestAccounts") return [settings.account];
      if (method === "eth_chainId") return chainId;
      if (method === "wallet_switchEthereumChain") {
        [{ chainId }] = params;
        return null;
      }
      if (method === "eth_sendTransaction" && settings.gas) params = [{ ...params[0], gas: settings.gas }];
      return toNode(method, params);
    },
  };
  const announce = () => {
    for (const name of settings.announced) {
      const detail = Object.freeze({ info: { uuid: name, name, icon: "data:,", rdns: "example" }, provider: { ...provider } });
      dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    }
  };
  if (settings.announced.length === 0) globalThis.ethereum = provider;
  addEventListener("eip6963:requestProvider", announce);
}
