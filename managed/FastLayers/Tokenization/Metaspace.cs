namespace FastLayers.Tokenization;

/// <summary>The options of a <c>Metaspace</c> step, which writes spaces as marks before a model and reads them back behind it.</summary>
/// <param name="Scheme">Where a mark is put before text: <c>always</c>, <c>first</c> or <c>never</c>.</param>
/// <param name="Cuts">Words are cut before each mark.</param>
internal readonly record struct Metaspace(string Scheme, bool Cuts)
{
    public bool AddsSpace => Scheme != "never";

    public static Metaspace Read(JsonPart step)
    {
        step.Allow("type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split");
        foreach (var key in (string[])["replacement", "str_rep"])
        {
            if (step.Find(key) is { } mark && mark.Text() != "▁") throw mark.Unsupported("'▁'");
        }
        var scheme = step.Find("prepend_scheme")?.Text() ?? (step.Find("add_prefix_space")?.Flag() ?? true ? "always" : "never");
        if (scheme is not ("always" or "first" or "never")) throw step.Get("prepend_scheme").Mismatch("always, first or never");
        return new Metaspace(scheme, step.Find("split")?.Flag() ?? true);
    }
}
