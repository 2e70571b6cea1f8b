using System.Text.RegularExpressions;

namespace FastLayers.Kernels.Gpu.Tests.Text;

/// <summary>What can be wrong with PTX text although ILGPU made it without complaint.</summary>
internal static partial class PtxLint
{
    /// <summary>Every finding as a sentence; none if the text is clean.</summary>
    public static IEnumerable<string> Findings(string ptx, IEnumerable<string> expectedInstructions)
    {
        if (ptx.Contains(".extern .func", StringComparison.Ordinal)) yield return "it calls a function that nothing links";
        if (ptx.Contains("copysign", StringComparison.Ordinal)) yield return "copysign has its operands swapped";
        if (Float64().Match(ptx) is { Success: true } wide) yield return $"it computes in double precision: {wide.Value.Trim()}";
        if (LocalInLoop(ptx) is { } spilled) yield return $"it uses local memory in a loop: {spilled}";
        foreach (string name in ApproximateFunctions().Matches(ptx).Select(match => match.Value).Distinct()) yield return $"it is too coarse: {name}";
        foreach (string instruction in expectedInstructions)
        {
            if (!ptx.Contains(instruction, StringComparison.Ordinal)) yield return $"the instruction {instruction} is missing";
        }

        foreach (string label in BranchTargets().Matches(ptx).Select(match => match.Groups[1].Value).Distinct())
        {
            if (!Regex.IsMatch(ptx, $@"^\s*{Regex.Escape(label)}:", RegexOptions.Multiline)) yield return $"the label {label} does not exist";
        }

        foreach (string register in UndeclaredRegisters(ptx)) yield return $"the register {register} is not declared";
        foreach (string register in RegistersUsedBeforeTheirDeclaration(ptx)) yield return $"the register {register} is used before it is declared";
    }

    /// <summary>The first access to local memory from which control can come back to it. The order of the text says nothing about loops.</summary>
    private static string? LocalInLoop(string ptx)
    {
        string[] lines = ptx.Split('\n');
        var labels = new Dictionary<string, int>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (Label().Match(lines[i]) is { Success: true } label) labels[label.Groups[1].Value] = i;
        }

        return Enumerable.Range(0, lines.Length).Where(line => LocalAccess().IsMatch(lines[line]) && ComesBack(line)).Select(line => lines[line].Trim()).FirstOrDefault();

        bool ComesBack(int from)
        {
            var seen = new HashSet<int>();
            var open = new Stack<int>([from]);
            while (open.TryPop(out int line))
            {
                bool falls = true;
                if (BranchTargets().Match(lines[line]) is { Success: true } branch)
                {
                    Visit(labels.GetValueOrDefault(branch.Groups[1].Value, lines.Length));
                    falls = lines[line].TrimStart().StartsWith('@');
                }

                if (falls && !lines[line].TrimStart().StartsWith("ret", StringComparison.Ordinal)) Visit(line + 1);
                if (seen.Contains(from)) return true;
            }

            return false;

            void Visit(int line)
            {
                if (line < lines.Length && seen.Add(line)) open.Push(line);
            }
        }
    }

    /// <summary>Registers that inline assembly declares, by names without a percent sign, must be declared before they are used in the text.</summary>
    private static IEnumerable<string> RegistersUsedBeforeTheirDeclaration(string ptx)
    {
        foreach (Match declaration in NamedRegisters().Matches(ptx))
        {
            string name = declaration.Groups[1].Value;
            var use = Regex.Match(ptx, $@"(?<![\w%.]){Regex.Escape(name)}{(declaration.Groups[2].Success ? @"\d+" : "")}\b(?!<)");
            if (use.Success && use.Index < declaration.Index) yield return name;
        }
    }

    private static IEnumerable<string> UndeclaredRegisters(string ptx)
    {
        var ranges = new Dictionary<string, int>();
        foreach (Match declaration in RegisterRange().Matches(ptx)) ranges[declaration.Groups[1].Value] = int.Parse(declaration.Groups[2].Value, null);
        return Register().Matches(ptx)
            .Where(use => !ranges.TryGetValue(use.Groups[1].Value, out int count) || int.Parse(use.Groups[2].Value, null) >= count)
            .Select(use => use.Value).Distinct();
    }

    [GeneratedRegex(@"^.*\.f64\b.*$", RegexOptions.Multiline)]
    private static partial Regex Float64();

    [GeneratedRegex(@"\b(tanh|sin|cos)\.approx[.\w]*")]
    private static partial Regex ApproximateFunctions();

    [GeneratedRegex(@"\bbra(?:\.uni)?\s+([\w$]+);")]
    private static partial Regex BranchTargets();

    [GeneratedRegex(@"^\s*([\w$]+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"\b(ld|st)\.local\b")]
    private static partial Regex LocalAccess();

    [GeneratedRegex(@"\.reg\s+\.\w+\s+(%?[a-zA-Z_]+)<(\d+)>")]
    private static partial Regex RegisterRange();

    [GeneratedRegex(@"\.reg\s+\.\w+\s+([a-zA-Z]\w*?)(<\d+>)?;")]
    private static partial Regex NamedRegisters();

    [GeneratedRegex(@"(%(?:p|r|rd|rs|f|fd|b))(\d+)\b")]
    private static partial Regex Register();
}
