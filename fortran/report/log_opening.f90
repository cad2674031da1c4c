! SPDX-License-Identifier: MIT
!> First lines of the log: who runs what, from which files, at which levels.
module fennix_log_opening
   use fennix_kinds, only : dp, i8
   use fennix_error, only : to_text
   use fennix_elements, only : symbol
   use fennix_cell, only : cell_type, lengths_and_angles
   use fennix_atoms, only : atoms_type
   use fennix_settings, only : settings_type
   use fennix_observables, only : observables_type
   use fennix_log_text, only : date_text, fixed, left
   use fennix_log_type, only : level_summary_type, log_type, say
   implicit none
   private
   public :: log_header, log_start

   !> Column at which values begin
   integer, parameter :: label_width = 20

contains


!> Program, date, files; and where the run continues from
subroutine log_header(self, settings, version, note)
   type(log_type), intent(inout) :: self
   type(settings_type), intent(in) :: settings
   !> Of the program
   character(len=*), intent(in) :: version
   !> One sentence such as "Continuing from water.dyn, step 1000", empty for a fresh start
   character(len=*), intent(in) :: note
   integer :: inote

   self%every = merge(1_i8, max(1_i8, settings%print_every), settings%verbose)
   self%dt = settings%dt
   self%n_substeps = settings%n_substeps
   self%two_level = settings%two_level
   if (len_trim(note) > 0) call say(self, " " // note)
   call say(self, " pyfennix " // trim(version) // ", " // date_text())
   if (is_set(settings%structure_file)) call entry(self, "Structure", settings%structure_file)
   if (is_set(settings%key_file)) call entry(self, "Keyfile", settings%key_file)
   if (is_set(settings%ignored_keywords)) call say(self, " Warning: " // settings%ignored_keywords)
   if (.not. allocated(settings%notes)) return
   do inote = 1, size(settings%notes)
      call say(self, " Note: " // settings%notes(inote)%text)
   end do
end subroutine log_header


!> The algorithm, the levels, the system, and what will be written when
subroutine log_start(self, settings, cell, atoms, obs, levels, ranks, owned)
   type(log_type), intent(in) :: self
   type(settings_type), intent(in) :: settings
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in) :: atoms
   !> After prepare
   type(observables_type), intent(in) :: obs
   !> Accurate first
   type(level_summary_type), intent(in) :: levels(:)
   !> How the system is spread over ranks, and what each owns; the latter is empty with one rank
   character(len=*), intent(in) :: ranks, owned
   integer :: k

   call say(self, "")
   call say(self, algorithm(settings%integrator))
   call say(self, "")
   do k = 1, size(levels)
      call log_level(self, k, levels(k), atoms)
   end do
   call entry(self, "Ranks", ranks)
   if (len(owned) > 0) call entry(self, "", owned)
   if (settings%threads > 0) call entry(self, "Threads", to_text(settings%threads))
   call entry(self, "Atoms", to_text(atoms%n) // population(atoms, obs))
   call entry(self, "Box", box_text(cell, obs))
   call entry(self, "Masses", mass_text(settings, atoms, obs))
   call entry(self, "Degrees of freedom", freedom_text(atoms, obs))
   if (settings%langevin) call entry(self, "Thermostat", "Langevin at " // to_text(settings%temperature) &
      & // " K, friction " // to_text(settings%friction) // " /ps")
   call entry(self, "Seed", to_text(settings%seed) // merge(" (given)", " (drawn)", settings%seed_given))
   call entry(self, "Steps", step_text(settings))
   call entry(self, "Output", "a line every " // to_text(self%every) // ", a frame every " &
      & // to_text(settings%dump_every) // " steps (" // to_text(settings%dump_every*settings%dt) // " ps)")
   if (settings%harvest_force > 0.0_dp) call entry(self, "Harvest", "steps with a difference force above " // &
      & to_text(settings%harvest_force) // " kcal/mol/A to " // settings%name // ".holes.h5, at most " // &
      & to_text(settings%harvest_max))
   if (obs%periodic .and. .not. obs%has_pressure) call entry(self, "Pressure", &
      & "not there: the accurate model gives no stress")
   if (obs%has_mid) call entry(self, "Temperatures", "Temp from on-step velocities (those in the files), Temp(mid) " &
      & // "mid-step: the thermostat's, used for the pressure")
end subroutine log_start


!> Model, ranges, time step, pairs, and largest force once there are forces
subroutine log_level(self, k, level, atoms)
   type(log_type), intent(in) :: self
   integer, intent(in) :: k
   type(level_summary_type), intent(in) :: level
   type(atoms_type), intent(in) :: atoms
   character(len=:), allocatable :: force, step

   call entry(self, "Level " // to_text(k), level%label)
   step = "time step " // to_text(1000.0_dp*level%time_step) // " fs"
   if (level%cutoff > 0.0_dp) then
      call entry(self, "", "cutoff " // to_text(level%cutoff) // " A, range " // to_text(level%range) // &
         & " A, list skin " // to_text(level%skin) // " A, " // step // ", " // to_text(level%n_edges) // " pairs")
   else
      call entry(self, "", "sees the whole system, no pair list, " // step)
   end if
   if (allocated(level%halo)) then
      if (len(level%halo) > 0) call entry(self, "", level%halo)
   end if
   if (.not. level%largest_force > 0.0_dp) return
   force = "potential energy " // trim(adjustl(fixed(level%energy, 18, 4))) // " kcal/mol, largest force " &
      & // trim(adjustl(fixed(level%largest_force, 12, 3))) // " kcal/mol/A on atom " &
      & // to_text(level%largest_atom) // " (" // trim(atoms%name(level%largest_atom)) // ")"
   call entry(self, "", force)
end subroutine log_level


!> One labelled line
subroutine entry(self, label, text)
   type(log_type), intent(in) :: self
   character(len=*), intent(in) :: label, text

   call say(self, " " // left(label, label_width) // text)
end subroutine entry


!> Tinker's words for an integrator
pure function algorithm(integrator) result(text)
   character(len=*), intent(in) :: integrator
   character(len=:), allocatable :: text

   select case (integrator)
   case ("baoabrespa")
      text = " Langevin Molecular Dynamics Trajectory via BAOAB-RESPA Algorithm"
   case ("baoab")
      text = " Langevin Molecular Dynamics Trajectory via BAOAB Algorithm"
   case ("respa")
      text = " Molecular Dynamics Trajectory via r-RESPA MTS Algorithm"
   case default
      text = " Molecular Dynamics Trajectory via Velocity Verlet Algorithm"
   end select
end function algorithm


!> " (H 432, O 216)"
function population(atoms, obs) result(text)
   type(atoms_type), intent(in) :: atoms
   type(observables_type), intent(in) :: obs
   character(len=:), allocatable :: text
   integer :: iel

   text = " ("
   do iel = 1, size(obs%elements)
      if (iel > 1) text = text // ", "
      text = text // trim(symbol(obs%elements(iel))) // " " // to_text(count(atoms%number == obs%elements(iel)))
   end do
   text = text // ")"
end function population


function box_text(cell, obs) result(text)
   type(cell_type), intent(in) :: cell
   type(observables_type), intent(in) :: obs
   character(len=:), allocatable :: text
   real(dp) :: lengths(3), angles(3)

   text = "none, an isolated system"
   if (.not. cell%periodic) return
   call lengths_and_angles(cell, lengths, angles)
   text = to_text(lengths(1)) // " x " // to_text(lengths(2)) // " x " // to_text(lengths(3)) // " A, angles " &
      & // to_text(angles(1)) // " " // to_text(angles(2)) // " " // to_text(angles(3)) // ", density " &
      & // trim(adjustl(fixed(obs%density, 12, 4))) // " g/cm3"
end function box_text


!> Standard weights, or the range of masses that heavy-hydrogen made of them
function mass_text(settings, atoms, obs) result(text)
   type(settings_type), intent(in) :: settings
   type(atoms_type), intent(in) :: atoms
   type(observables_type), intent(in) :: obs
   character(len=:), allocatable :: text
   real(dp) :: lightest, heaviest
   integer :: iel

   text = "standard atomic weights"
   if (.not. settings%heavy_hydrogen) return
   text = "repartitioned (heavy-hydrogen):"
   do iel = 1, size(obs%elements)
      lightest = minval(atoms%mass, mask=atoms%number == obs%elements(iel))
      heaviest = maxval(atoms%mass, mask=atoms%number == obs%elements(iel))
      text = text // merge(",", " ", iel > 1) // repeat(" ", merge(1, 0, iel > 1)) &
         & // trim(symbol(obs%elements(iel))) // " " // to_text(lightest)
      if (heaviest - lightest > 1.0e-6_dp) text = text // " to " // to_text(heaviest)
   end do
   text = text // " g/mol"
end function mass_text


function freedom_text(atoms, obs) result(text)
   type(atoms_type), intent(in) :: atoms
   type(observables_type), intent(in) :: obs
   character(len=:), allocatable :: text
   integer :: removed

   removed = 3*atoms%n - obs%degrees_of_freedom
   text = to_text(obs%degrees_of_freedom) // " (3N)"
   if (removed > 0) text = to_text(obs%degrees_of_freedom) // " (3N - " // to_text(removed) &
      & // ", motion as a whole is removed)"
end function freedom_text


function step_text(settings) result(text)
   type(settings_type), intent(in) :: settings
   character(len=:), allocatable :: text

   text = to_text(settings%n_steps) // " of " // to_text(1000.0_dp*settings%dt) // " fs, " &
      & // to_text(real(settings%n_steps, dp)*settings%dt) // " ps"
   if (settings%n_substeps > 1) text = text // "; each holds " // to_text(settings%n_substeps) // " inner steps of " &
      & // to_text(1000.0_dp*settings%dt/settings%n_substeps) // " fs"
end function step_text


pure function is_set(text)
   character(len=:), allocatable, intent(in) :: text
   logical :: is_set

   is_set = .false.
   if (allocated(text)) is_set = len_trim(text) > 0
end function is_set

end module fennix_log_opening
